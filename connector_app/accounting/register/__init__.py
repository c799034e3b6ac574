"""A month's documents of a seller as the VAT records need them."""

"""By hand: invoice an order that the rules leave out, enter its buyer, correct an invoice."""

"""Pages for machines: a seller's tokens of the REST interface, and hooks."""

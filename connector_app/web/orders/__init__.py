"""Orders of the shops: found, read, and invoiced although the rules say otherwise."""

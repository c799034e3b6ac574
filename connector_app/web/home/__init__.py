"""Home: what needs a person, what is under way, how things are."""

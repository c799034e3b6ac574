"""What is going on in an installation, read for people: what needs one, what is under way, how things are."""

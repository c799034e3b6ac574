"""A seller's settings, section by section, and as a whole file."""

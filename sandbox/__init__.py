"""Servers on localhost that play KSeF and the shops: for the demo, for tests, for other programs."""

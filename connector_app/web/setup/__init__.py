"""The guided setup: from nothing to a seller that sends, with the real state of each step."""

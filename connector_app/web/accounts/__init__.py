"""Accounts: the first one, signing in and out, browsers that are signed in."""

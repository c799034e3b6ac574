"""Alerts: the list, and what an installation sets."""

"""The audit log: who did what, for owners."""

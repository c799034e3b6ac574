"""Corrections that a person writes: looked at before they are issued."""

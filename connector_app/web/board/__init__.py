"""The board: all stores of all sellers at a glance."""

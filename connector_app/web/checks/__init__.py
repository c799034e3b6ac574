"""Pages of the numbers check and of the examination of an installation."""

"""What the application shows in a browser; for now a health page."""

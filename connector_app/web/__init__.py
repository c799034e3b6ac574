"""What the application shows in a browser, and the addresses for machines; one folder a feature."""

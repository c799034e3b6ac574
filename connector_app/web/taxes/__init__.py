"""What a store's tax classes mean, in the browser."""

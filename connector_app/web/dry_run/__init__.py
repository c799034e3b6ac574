"""The dry run of a store in the browser: start, progress, result, orders with their pictures."""

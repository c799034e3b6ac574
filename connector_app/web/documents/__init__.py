"""Documents in the browser: the list, one document's page, its files, what can be done, and exports."""

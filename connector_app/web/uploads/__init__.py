"""Upload of ready FA XML in the browser."""

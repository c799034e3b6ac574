"""Public registers in the browser: what they are asked, and a look at one company."""

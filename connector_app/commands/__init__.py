"""The commands of ``ksef-connector``, one module per noun."""

"""Invoices: the model, how an order becomes one, numbering, totals and semantic rules."""

"""What a shop's tax classes mean on invoices: read from the shop's own settings, confirmed by the merchant.

A positive rate speaks for itself. No rate and a rate of zero look the same whatever they mean, so the
merchant is asked and nothing is chosen beforehand.
"""

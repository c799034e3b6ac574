"""Correcting invoices: from an accepted invoice and what happened since to the next correction.

:mod:`.state` knows what an invoice and its corrections say together, :mod:`.refunds` turns a shop's refund
into the next state, :mod:`.others` handles everything that is no refund, :mod:`.build` writes the
difference of two states as a document, :mod:`.proof` shows that it is the refund to the grosz.
"""

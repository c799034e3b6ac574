"""Invoices and KSeF: everything that does not know a shop, a database or a setting.

``core`` imports nothing of ``adapters``, ``connector_app`` or ``sandbox``; every value it needs
arrives as an argument.
"""

"""The dry run: a period's orders of a store as the invoices they would become, and nothing is sent.

It reads the shop, decides by the store's rules and the seller's settings as they are now, builds and checks
each document, and keeps the result in a file of its own. It takes no number and writes nothing to the
database, to KSeF or to the shop.
"""

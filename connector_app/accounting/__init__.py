"""What the shop sold, on its way to the books: a register of each month, and files made from it.

One model (:mod:`connector_app.accounting.register`) is read from the stored XML of documents, never from
orders. Every export is made from it, so that all of them tell the same.
"""

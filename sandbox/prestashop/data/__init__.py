"""Recorded answers for :mod:`sandbox.prestashop.recordings`; a package, so that installations carry them."""

"""Recorded answers for :mod:`sandbox.woocommerce.recordings`; a package, so that installations carry them."""

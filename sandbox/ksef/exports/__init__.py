"""Exports: documents chosen by filters, packed and encrypted with the caller's key.

``requests`` holds the operations, ``package`` builds the archive and its encrypted parts. What an export
holds is decided by the moment of its request, whoever looks at it and when.
"""

"""FA(2) and FA(3): which structures there are, writing, reading and checking documents.

Importing this package loads nothing heavy; each part is imported by its own name, such as
:mod:`core.fa.registry` or :mod:`core.fa.schema`.
"""

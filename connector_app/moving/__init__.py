"""Moving an installation's database to another one, from SQLite to PostgreSQL above all.

``rows`` reads and writes every table as it is stored, ``copying`` carries the rows over, ``comparing`` looks
at both sides afterwards, ``move`` puts it together; the old database is closed by
:mod:`connector_app.store.moved`.
"""

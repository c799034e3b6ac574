"""Keeping: what was issued stays whole as long as the law wants it, and nothing else stays too long.

:mod:`~connector_app.keeping.reading` is the one door to stored XML and UPOs, and
:mod:`~connector_app.keeping.damage` notes what is broken; :mod:`~connector_app.keeping.verify` looks at the
whole archive, :mod:`~connector_app.keeping.repair` fetches broken files from KSeF;
:mod:`~connector_app.keeping.backup` and :mod:`~connector_app.keeping.restore` copy an installation and bring
it back; :mod:`~connector_app.keeping.personal_data` and :mod:`~connector_app.keeping.pruning` delete what
nobody needs; :mod:`~connector_app.keeping.upkeep` does all of it beside the background work.
"""

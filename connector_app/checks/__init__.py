"""Checks that an auditor and an operator rely on; nothing here changes a document.

:mod:`~connector_app.checks.run` proves a seller's numbers for a month or longer: series
(:mod:`~connector_app.checks.numbers`), documents (:mod:`~connector_app.checks.documents`), orders and refunds
(:mod:`~connector_app.checks.orders`, :mod:`~connector_app.checks.refunds`), stored files
(:mod:`~connector_app.checks.stored_files`) and what KSeF has (:mod:`~connector_app.checks.against_ksef`).
:mod:`connector_app.checks.installation` examines an installation.
"""

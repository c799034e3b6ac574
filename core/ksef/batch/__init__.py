"""Batch sessions: many documents in one encrypted archive.

Pack (:mod:`~core.ksef.batch.packing`), open (:mod:`~core.ksef.batch.session`), send the parts
(:mod:`~core.ksef.batch.upload`), close, ask how the session is (:mod:`core.ksef.status`), and read what
became of each document (:mod:`~core.ksef.batch.results`). Attachments are taken in batch sessions only.
"""

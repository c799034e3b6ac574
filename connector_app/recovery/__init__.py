"""Recovery: a lost database's documents come back from KSeF.

:mod:`~connector_app.recovery.run` fetches what the seller sold since a day, in windows that can be continued
after a kill; :mod:`~connector_app.recovery.keeping` stores one invoice; :mod:`~connector_app.recovery.proofs`
finds the sessions that give UPOs.
"""

"""Many documents at once: choose when, gather, send as one batch session, and read what became of each.

Between choosing and the result a document belongs to its batch (``Document.batch_id``) and no other step
touches it. Each step stores what it did before the next one begins, so a crash goes on where it was:

new -> packed -> open -> closed -> done, or failed as a whole.
"""

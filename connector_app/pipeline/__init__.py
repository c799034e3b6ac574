"""From shop to KSeF and back: intake, issue, submit, track, publish, and what runs them.

Each step is one short function over one document, in one transaction, safe to run twice. One seller is
one lane: numbering and sending of a seller are serial.
"""

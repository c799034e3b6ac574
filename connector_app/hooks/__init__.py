"""Webhooks to others: what happens to a seller's documents is told to addresses that the seller names.

``happenings`` finds what happened in the documents' life lines, ``signing`` signs, ``sending`` delivers,
``courier`` is the thread that does both, ``keeping`` adds, changes and removes.
"""

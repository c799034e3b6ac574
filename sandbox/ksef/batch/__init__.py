"""Batch sessions: opening and closing, storing parts, unpacking archives.

A batch lives in three steps. ``opening`` answers with presigned addresses, ``upload`` stores a part behind
each of them, and after the close ``unpacking`` decrypts the parts, checks the archive that they make and
writes its documents down; from then on they are judged by :mod:`sandbox.ksef.processing` as interactive ones
are.
"""

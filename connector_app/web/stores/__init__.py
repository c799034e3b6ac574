"""Stores: connecting them, how one stands, its policy, texts and mail server."""

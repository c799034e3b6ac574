"""The client of the KSeF API 2.0: signing in, sending, asking, fetching proofs."""

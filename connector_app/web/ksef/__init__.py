"""A seller's way into KSeF: signing in, certificates, sign-ins in force."""

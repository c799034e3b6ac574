"""People: who has an account, who may do what for which seller, invitations and lost passwords."""

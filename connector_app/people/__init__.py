"""People of an installation: accounts, passwords, second factor, roles, links, and who did what.

Nothing here knows pages or the command line; both use it.
"""

"""Examining an installation: what is wrong with it, in words, and what to do.

:mod:`~connector_app.checks.installation.run` puts the areas together; each area is a module that says what it
found and raises nothing.
"""

"""Permissions: who may do what in which context, granting and revoking, and reading what was granted.

===============  ============================================================================
``grants``       what is stored: one row for one permission of one subject
``access``       what a subject may do in a context; sign-in, refreshing and sending obey it
``subjects``     roles of entities (VAT groups, local government, enforcement) and persons
``forms``        reading identifiers and personal data out of requests
``operations``   the asynchronous operations and their status
``granting``     operations that grant
``revoking``     operations that revoke
``queries``      operations under ``/permissions/query`` and the consent to attachments
===============  ============================================================================

Source: operations under ``/permissions`` of open-api.json (API 2.9.0).
"""

"""The REST interface for machines, ``/api/v1``.

Each operation is one function with its types (``typed``), registered by ``operation``; the OpenAPI document
and its page are made from the same registry, so that they cannot say anything else than the code does.
"""

"""A PrestaShop shop on localhost that answers as a recorded PrestaShop 9.1 did.

:class:`~sandbox.prestashop.server.PrestaSandbox` is a context manager for tests and demos,
:func:`~sandbox.prestashop.recordings.demo_data` its recorded orders, and
:func:`~sandbox.prestashop.generate.generated` as many others as are wished.
"""

from sandbox.prestashop.entities import Entity
from sandbox.prestashop.recordings import INVOICE_STATE, demo_data, shared_data
from sandbox.prestashop.server import DEMO_KEY, READ_ONLY_KEY, PrestaSandbox

__all__ = [
    "DEMO_KEY",
    "INVOICE_STATE",
    "READ_ONLY_KEY",
    "Entity",
    "PrestaSandbox",
    "demo_data",
    "shared_data",
]

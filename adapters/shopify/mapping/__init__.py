"""Shopify's GraphQL answers to the neutral forms of :mod:`core.orders`.

One module per concern: :mod:`~.values` (money, ids), :mod:`~.taxes`, :mod:`~.lines` (orders as placed),
:mod:`~.ledger` (edited orders), :mod:`~.tax_ids`, :mod:`~.parties`, :mod:`~.payments`, :mod:`~.order`,
:mod:`~.refunds`.
"""

from adapters.shopify.mapping.options import MappingOptions, MoneyKind
from adapters.shopify.mapping.order import OrderFile, map_order
from adapters.shopify.mapping.refunds import map_refund

__all__ = ["MappingOptions", "MoneyKind", "OrderFile", "map_order", "map_refund"]

"""WooCommerce REST v3 JSON to the neutral forms of :mod:`core.orders`.

One module per concern: :mod:`~.reader` (typed access to untrusted JSON), :mod:`~.lines`, :mod:`~.fees`,
:mod:`~.tax_ids`, :mod:`~.payments`, :mod:`~.parties`, :mod:`~.order`, :mod:`~.refunds`.
"""

from adapters.woocommerce.mapping.order import MappingOptions, OrderFile, map_order
from adapters.woocommerce.mapping.refunds import map_refund

__all__ = ["MappingOptions", "OrderFile", "map_order", "map_refund"]

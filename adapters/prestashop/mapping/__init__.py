"""PrestaShop webservice XML to the neutral forms of :mod:`core.orders`.

One module per concern: :mod:`~.documents` (untrusted XML), :mod:`~.resource` (typed access), :mod:`~.bundle`
(the resources of one order), :mod:`~.rounding`, :mod:`~.rates`, :mod:`~.lines`, :mod:`~.services` (delivery
and wrapping), :mod:`~.discounts`, :mod:`~.parties`, :mod:`~.tax_ids`, :mod:`~.states`, :mod:`~.payments`,
:mod:`~.order`, :mod:`~.slips`, :mod:`~.refunds`.
"""

from adapters.prestashop.mapping.options import MappingOptions, Prices
from adapters.prestashop.mapping.order import map_order
from adapters.prestashop.mapping.refunds import map_refunds

__all__ = ["MappingOptions", "Prices", "map_order", "map_refunds"]

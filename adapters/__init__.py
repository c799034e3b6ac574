"""Shop adapters: each folder maps one platform to :mod:`core.orders` and writes results back.

Adapters import :mod:`core` only; what every adapter offers is in :mod:`adapters.contract`.
"""

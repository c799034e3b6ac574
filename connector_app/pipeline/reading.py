"""Reading one order anew, with its troubles as values where they say something about the order itself."""

from __future__ import annotations

from adapters.contract import NotFound, ShopAdapter, UnreadableOrder
from core.orders import Order


def read_order(shop: ShopAdapter, remote_id: str) -> Order | UnreadableOrder | NotFound:
    """Ask a shop for one order.

    Args:
        shop: the connected store.
        remote_id: the shop's id of the order.

    Returns:
        The order; why it cannot be read, its path beginning with the order's id; or that it is gone.

    Raises:
        ShopError: the shop cannot be read now.
    """
    try:
        return shop.order(remote_id)
    except NotFound as error:
        return error
    except UnreadableOrder as error:
        path = ".".join(part for part in (remote_id, error.path) if part)
        return UnreadableOrder(error.message, path=path, hint=error.hint)

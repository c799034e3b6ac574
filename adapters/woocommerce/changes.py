"""What changed in a WooCommerce shop since a moment: orders and refunds, each list paged to its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapters.contract import RefundChange, ShopRefused, ShopUnavailable, UnreadableOrder
from adapters.woocommerce.client import PER_PAGE, Answer, WooClient, as_list, is_last_page
from adapters.woocommerce.mapping.reader import Node

_SECOND = timedelta(seconds=1)
_MOST_PAGES = 10_000
_NO_ROUTE = "rest_no_route"


@dataclass(slots=True)
class ChangedOrders:
    """The raw orders modified since a moment, oldest change first, each change once.

    Page numbers shift when an order changes while the list is read, so the list is asked for anew from the
    last modification seen. Page numbers are used only among orders of one second (a bulk edit), and such a
    second is read again until a pass brings nothing new.
    """

    client: WooClient
    since: datetime | None
    _seen: dict[tuple[str, datetime | None], datetime | None] = field(default_factory=dict)

    def __iter__(self) -> Iterator[object]:
        cursor = self.since.astimezone(UTC).replace(microsecond=0) if self.since else None
        page, news_in_pass = 1, False
        while True:
            answer = self._ask(cursor, page)
            items = as_list(answer)
            fresh = [item for item in items if self._is_new(item)]
            news_in_pass = news_in_pass or bool(fresh)
            yield from fresh
            last = max(filter(None, map(_modified, items)), default=None)
            ended = is_last_page(answer, page, len(items)) or not items
            again = page > 1 and news_in_pass
            stuck = last is None or (cursor is not None and last <= cursor)
            if not ended and stuck:
                page = self._next(page)
                continue
            if again:
                page, news_in_pass = 1, False
                continue
            if ended:
                return
            cursor, page, news_in_pass = last, 1, False
            self._forget(last)

    def _ask(self, cursor: datetime | None, page: int) -> Answer:
        params: dict[str, str | int] = {
            "status": "any",
            "orderby": "modified",
            "order": "asc",
            "per_page": PER_PAGE,
            "page": page,
            "dp": 2,
        }
        return self.client.get("orders", params | _modified_after(cursor))

    def _is_new(self, item: object) -> bool:
        modified = _modified(item)
        since = self.since
        if since is not None and modified is not None and modified < since.replace(microsecond=0):
            return False
        key = (id_of(item) or repr(item), modified)
        if key in self._seen:
            return False
        self._seen[key] = modified
        return True

    def _forget(self, cursor: datetime | None) -> None:
        """Drop what cannot be listed again."""
        if cursor is not None:
            oldest = cursor - _SECOND
            self._seen = {key: at for key, at in self._seen.items() if at is not None and at >= oldest}

    def _next(self, page: int) -> int:
        if page >= _MOST_PAGES:
            raise ShopUnavailable("the shop's list of orders does not end")
        return page + 1


def changed_refunds(client: WooClient, since: datetime | None) -> Iterator[RefundChange]:
    """Refunds of the whole shop made or changed at or after a moment, oldest first, each once.

    ``GET /refunds`` (WooCommerce 9.0 and later) filters by the refund's own modification time, which it does
    not show, so the list is read by page numbers. A refund deleted meanwhile shifts the pages: a list of more
    than one page is read again until a pass brings nothing new. An older shop has no such list; there the
    order's own modification time tells, because a refund changes it.

    Args:
        client: the shop.
        since: aware UTC; ``None`` means all refunds.

    Raises:
        ShopUnavailable: the list does not end.
        ShopError: see :mod:`adapters.contract`.
    """
    params: dict[str, str | int] = {"orderby": "date", "order": "asc", "per_page": PER_PAGE, "dp": 2}
    params |= _modified_after(since)
    seen: set[str] = set()
    while True:
        news, pages = False, 0
        for items in _refund_pages(client, params):
            pages += 1
            found = filter(None, map(_refund_change, items))
            fresh = [change for change in found if change.refund_id not in seen]
            seen.update(change.refund_id for change in fresh)
            news = news or bool(fresh)
            yield from fresh
        if pages < 2 or not news:
            return


def _refund_pages(client: WooClient, params: dict[str, str | int]) -> Iterator[list[object]]:
    for page in range(1, _MOST_PAGES):
        try:
            answer = client.get("refunds", {**params, "page": page})
        except ShopRefused as error:
            if error.code == _NO_ROUTE:
                return
            raise
        items = as_list(answer)
        yield items
        if is_last_page(answer, page, len(items)) or not items:
            return
    raise ShopUnavailable("the shop's list of refunds does not end")


def _refund_change(data: object) -> RefundChange | None:
    """``None`` for what names no order: nothing can be corrected by it, and it must not hide the others."""
    node = Node(data)
    try:
        return RefundChange(
            order_id=node.child("parent_id").identifier(),
            refund_id=node.child("id").identifier(),
            changed_at=node.moment_of("date_modified_gmt") or node.child("date_created_gmt").moment(),
        )
    except UnreadableOrder:
        return None


def _modified_after(since: datetime | None) -> dict[str, str]:
    """The filter; the shop's is exclusive and knows whole seconds."""
    if since is None:
        return {}
    moment = since.astimezone(UTC).replace(microsecond=0) - _SECOND
    return {"modified_after": moment.strftime("%Y-%m-%dT%H:%M:%S"), "dates_are_gmt": "true"}


def _modified(item: object) -> datetime | None:
    try:
        return Node(item).child("date_modified_gmt").moment().replace(microsecond=0)
    except UnreadableOrder:
        return None


def id_of(item: object) -> str:
    """The id of a raw order; empty when it has none that can be read."""
    try:
        return Node(item).child("id").identifier()
    except UnreadableOrder:
        return ""

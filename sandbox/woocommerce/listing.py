"""Filters, sorting and paging of order lists, with the headers that the shop sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import urlencode

from sandbox.woocommerce.access import RefusedError

Json = dict[str, Any]

_HIDDEN = frozenset({"trash", "auto-draft", "checkout-draft"})
_SORT_KEYS = {"date": "date_created_gmt", "modified": "date_modified_gmt", "id": "id"}
_LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Attributes:
        items: its items.
        headers: ``X-WP-Total``, ``X-WP-TotalPages`` and ``Link``.
    """

    items: list[Json]
    headers: dict[str, str]


def select_orders(orders: list[Json], params: Mapping[str, str], zone: tzinfo) -> list[Json]:
    """The orders that the query asks for, sorted.

    Args:
        orders: all orders.
        params: the query.
        zone: the shop's zone, for times in the query that are not said to be GMT.

    Raises:
        RefusedError: a parameter that the shop would refuse.
    """
    chosen = [order for order in orders if _has_status(order, params.get("status", "any"))]
    if params.get("include"):
        wanted = {int(part) for part in params["include"].split(",") if part.strip().isdigit()}
        chosen = [order for order in chosen if order["id"] in wanted]
    for name, field in (("modified_after", "date_modified_gmt"), ("after", "date_created_gmt")):
        if params.get(name):
            after = _moment(name, params, zone)
            chosen = [order for order in chosen if order[field] > after]
    order_by, direction = params.get("orderby", "date"), params.get("order", "desc")
    if order_by not in _SORT_KEYS:
        raise _invalid("orderby")
    if direction not in {"asc", "desc"}:
        raise _invalid("order")
    key = _SORT_KEYS[order_by]
    return sorted(chosen, key=lambda order: (order[key], order["id"]), reverse=direction == "desc")


def select_refunds(refunds: list[tuple[str, Json]], params: Mapping[str, str], zone: tzinfo) -> list[Json]:
    """The refunds that the query of the shop's global list asks for, sorted.

    Args:
        refunds: all of them, each behind the GMT time of its last change.
        params: the query.
        zone: the shop's zone.

    Raises:
        RefusedError: a parameter that the shop would refuse.
    """
    chosen = refunds
    if params.get("modified_after"):
        after = _moment("modified_after", params, zone)
        chosen = [one for one in chosen if one[0] > after]
    if params.get("after"):
        after = _moment("after", params, zone)
        chosen = [one for one in chosen if one[1]["date_created_gmt"] > after]
    backwards = params.get("order", "desc") == "desc"
    chosen = sorted(chosen, key=lambda one: (one[1]["date_created_gmt"], one[1]["id"]), reverse=backwards)
    return [refund for _, refund in chosen]


def page_of(items: list[Json], params: Mapping[str, str], url: str) -> Page:
    """One page of a list.

    Args:
        items: the whole list.
        params: the query; ``per_page`` is 10 when it does not say.
        url: address without the query, for the ``Link`` header.

    Raises:
        RefusedError: a page size or number that the shop would refuse.
    """
    size, page = _whole(params, "per_page", 10), _whole(params, "page", 1)
    if size > _LARGEST_PAGE:
        raise _invalid("per_page")
    pages = -(-len(items) // size)
    links: list[str] = []
    for relation, number in (("prev", page - 1), ("next", page + 1)):
        if 1 <= number <= pages:
            # the shop repeats the whole query here, signature and key included
            links.append(f'<{url}?{urlencode({**params, "page": number})}>; rel="{relation}"')
    headers = {"X-WP-Total": str(len(items)), "X-WP-TotalPages": str(pages)}
    if links:
        headers["Link"] = ", ".join(links)
    return Page(items[(page - 1) * size : page * size], headers)


def trimmed(item: Json, params: Mapping[str, str]) -> Json:
    """Only the members that ``_fields`` names, when it is given."""
    wanted = [name.strip() for name in params.get("_fields", "").split(",") if name.strip()]
    return {name: item[name] for name in wanted if name in item} if wanted else item


def _has_status(order: Json, wanted: str) -> bool:
    if wanted == "any":
        return order["status"] not in _HIDDEN
    return order["status"] in {part.strip() for part in wanted.split(",")}


def _moment(name: str, params: Mapping[str, str], zone: tzinfo) -> str:
    """A time of the query as the text of a ``*_gmt`` field."""
    try:
        moment = datetime.fromisoformat(params[name])
    except ValueError:
        raise _invalid(name) from None
    if moment.tzinfo is None:
        in_gmt = params.get("dates_are_gmt", "").lower() in {"1", "true"}
        moment = moment.replace(tzinfo=UTC if in_gmt else zone)
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def _whole(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise _invalid(name)
    return int(text)


def _invalid(name: str) -> RefusedError:
    return RefusedError(400, "rest_invalid_param", f"Invalid parameter(s): {name}")

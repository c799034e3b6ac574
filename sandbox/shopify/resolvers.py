"""How the schema's fields are answered from the shop's state."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, get_named_type

from sandbox.shopify.mutations import MUTATIONS
from sandbox.shopify.state import Json, ShopState, digest

_SCOPES = {
    ("QueryRoot", "order"): "read_orders",
    ("QueryRoot", "orders"): "read_orders",
    ("QueryRoot", "refund"): "read_orders",
    ("Order", "customer"): "read_customers",
    ("Mutation", "orderUpdate"): "write_orders",
    ("Mutation", "tagsAdd"): "write_orders",
    ("Mutation", "metafieldsSet"): "write_orders",
    ("Mutation", "metafieldsDelete"): "write_orders",
    ("Mutation", "metafieldDefinitionCreate"): "write_orders",
    ("Mutation", "orderInvoiceSend"): "write_orders",
}
_SINCE = re.compile(r"updated_at:>='([^']+)'")
_SORTED_BY = {"UPDATED_AT": "updatedAt", "CREATED_AT": "createdAt", "PROCESSED_AT": "processedAt"}
_DEFAULT_SHOP: Json = {
    "name": "Sklep testowy",
    "myshopifyDomain": "sandbox.myshopify.com",
    "currencyCode": "PLN",
    "taxesIncluded": True,
    "taxShipping": True,
    "ianaTimezone": "Europe/Warsaw",
    "plan": {"publicDisplayName": "Basic"},
}


@dataclass(frozen=True, slots=True)
class Resolver:
    """The default resolver of every field.

    Attributes:
        state: the shop. scopes: of the request's token. shop: fields of ``Shop`` that differ.
    """

    state: ShopState
    scopes: frozenset[str]
    shop: Json

    def __call__(self, source: Any, info: GraphQLResolveInfo[Any], **args: Any) -> Any:
        """Answer one field.

        Raises:
            GraphQLError: the token may not do it.
        """
        owner, name = info.parent_type.name, info.field_name
        needed = _SCOPES.get((owner, name))
        if needed is not None and needed not in self.scopes:
            raise _denied(name, needed)
        if owner == "Mutation":
            return MUTATIONS[name](self.state, **args)
        special = _SPECIAL.get((owner, name))
        value = special(self, source, args) if special is not None else source.get(name)
        kind = get_named_type(info.return_type).name
        if kind.endswith("Connection"):
            return _page(value, args)
        if isinstance(value, list) and "first" in args:
            return value[: args["first"]]
        return value


def type_of(value: Any, *_: Any) -> str | None:
    """The name of an object's type, for interfaces and unions."""
    return value.get("__typename") if isinstance(value, dict) else None


def _denied(field: str, scope: str) -> GraphQLError:
    return GraphQLError(
        f"Access denied for {field} field. Required access: `{scope}` access scope.",
        extensions={
            "code": "ACCESS_DENIED",
            "requiredAccess": f"`{scope}` access scope.",
            "documentation": "https://shopify.dev/api/usage/access-scopes",
        },
    )


def _orders(self: Resolver, _source: Any, args: Json) -> Json:
    """Orders sorted by a time, after a cursor that holds it; an order that changes moves on in the list."""
    field = _SORTED_BY[args.get("sortKey", "PROCESSED_AT")]
    since = _SINCE.search(args.get("query") or "")
    found = [one for one in self.state.orders.values() if since is None or one["updatedAt"] >= since[1]]
    found.sort(key=lambda one: (one[field], one["id"]), reverse=bool(args.get("reverse")))
    after = args.get("after")
    if after:
        found = [one for one in found if (one[field], one["id"]) > tuple(_decoded(after).split("|", 1))]
    kept = found[: args["first"]]
    last = _encoded(f"{kept[-1][field]}|{kept[-1]['id']}") if kept else None
    return {"nodes": kept, "pageInfo": {"hasNextPage": len(found) > len(kept), "endCursor": last}}


def _refund(self: Resolver, _source: Any, args: Json) -> Json | None:
    found = self.state.refund(args["id"])
    return None if found is None else found[0]


def _refund_order(self: Resolver, source: Json, _args: Json) -> Json | None:
    found = self.state.refund(source["id"])
    return None if found is None else found[1]


def _metafields(_self: Resolver, source: Json, args: Json) -> list[Json]:
    rows = source.get("metafields") or {"nodes": []}
    return [one for one in rows["nodes"] if args.get("namespace") in {None, one["namespace"]}]


def _definitions(self: Resolver, _source: Any, args: Json) -> list[Json]:
    return [one for one in self.state.definitions if one["namespace"] == args.get("namespace")]


_SPECIAL: dict[tuple[str, str], Callable[[Resolver, Any, Json], Any]] = {
    ("QueryRoot", "order"): lambda self, _source, args: self.state.order(args["id"]),
    ("QueryRoot", "orders"): _orders,
    ("QueryRoot", "refund"): _refund,
    ("QueryRoot", "shop"): lambda self, _source, _args: _DEFAULT_SHOP | self.shop,
    ("QueryRoot", "currentAppInstallation"): lambda self, _source, _args: {
        "accessScopes": [{"handle": scope} for scope in sorted(self.scopes)]
    },
    ("QueryRoot", "metafieldDefinitions"): _definitions,
    ("QueryRoot", "webhookSubscriptions"): lambda self, _source, _args: list(
        self.state.subscriptions.values()
    ),
    ("Refund", "order"): _refund_order,
    ("Order", "metafields"): _metafields,
    ("Metafield", "compareDigest"): lambda _self, source, _args: digest(source["value"]),
}


def _page(value: Any, args: Json) -> Json:
    """A page of a whole connection; its cursors are positions."""
    if isinstance(value, dict) and "pageInfo" in value:
        return value
    items = value["nodes"] if isinstance(value, dict) else value or []
    start = int(_decoded(args["after"])) if args.get("after") else 0
    end = start + args.get("first", len(items))
    return {
        "nodes": items[start:end],
        "pageInfo": {"hasNextPage": end < len(items), "endCursor": _encoded(str(end))},
    }


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(cursor: str) -> str:
    return base64.b64decode(cursor).decode()

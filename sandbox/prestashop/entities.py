"""The shop's entities, and how the webservice writes and reads them as XML.

Texts stand in CDATA exactly as they are stored: a text with ``]]>`` in it breaks the answer, as in the shop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from lxml import etree

NODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "addresses": "address",
        "carriers": "carrier",
        "configurations": "configuration",
        "countries": "country",
        "currencies": "currency",
        "customer_messages": "customer_message",
        "customer_threads": "customer_thread",
        "customers": "customer",
        "languages": "language",
        "messages": "message",
        "order_carriers": "order_carrier",
        "order_cart_rules": "order_cart_rule",
        "order_details": "order_detail",
        "order_histories": "order_history",
        "order_invoices": "order_invoice",
        "order_payments": "order_payment",
        "order_slip": "order_slip",
        "order_states": "order_state",
        "orders": "order",
        "tax_rule_groups": "tax_rule_group",
        "tax_rules": "tax_rule",
        "taxes": "tax",
    }
)
"""Collections of the webservice, and what one entity of each is called."""

_LIST_NODES = {"order_slip": "order_slips"}
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">\n'
_TAIL = "</prestashop>"
_DATES = frozenset({"date_add", "date_upd"})

Text = str | dict[str, str]


@dataclass(slots=True)
class Entity:
    """One entity.

    Attributes:
        fields: names to texts; a text in several languages by the language's id.
        rows: associations: name of the association to its rows.
    """

    fields: dict[str, Text]
    rows: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """Its id."""
        return int(self.text("id"))

    def text(self, name: str) -> str:
        """A field as the shop's filters see it; empty when it is absent."""
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else next(iter(value.values()), "")

    def as_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"fields": self.fields, "rows": self.rows}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Entity:
        """The entity that :meth:`as_json` gave."""
        return cls(dict(values["fields"]), dict(values["rows"]))


def read_entities(xml: bytes) -> list[Entity]:
    """The entities of an answer: of a list, or of one entity."""
    root = etree.fromstring(xml)
    found = []
    for child in root:
        entities = [child] if child.find("id") is not None else list(child)
        found += [_entity(one) for one in entities]
    return found


def _entity(element: etree._Element) -> Entity:
    entity = Entity({})
    for child in element:
        if child.tag == "associations":
            entity.rows = {str(group.tag): [_row(row) for row in group] for group in child}
        elif len(child):
            entity.fields[str(child.tag)] = {str(one.get("id")): one.text or "" for one in child}
        else:
            entity.fields[str(child.tag)] = child.text or ""
    return entity


def _row(element: etree._Element) -> dict[str, str]:
    return {str(child.tag): child.text or "" for child in element}


def one_xml(collection: str, entity: Entity) -> str:
    """The answer about one entity."""
    return _HEAD + _rendered(NODES[collection], entity, None) + _TAIL


def list_xml(collection: str, entities: Iterable[Entity], display: tuple[str, ...] | None) -> str:
    """The answer with a list.

    Args:
        collection: which.
        entities: in their order.
        display: names of the fields shown; ``()`` shows ids alone as attributes, ``None`` everything.
    """
    node, name = NODES[collection], _LIST_NODES.get(collection, collection)
    if display == ():
        shown = "".join(f'<{node} id="{one.id}"/>\n' for one in entities)
    else:
        shown = "".join(_rendered(node, one, display) for one in entities)
    return f"{_HEAD}<{name}>\n{shown}</{name}>\n{_TAIL}"


def errors_xml(errors: Iterable[tuple[int, str]]) -> str:
    """The answer with errors: codes and messages."""
    shown = "".join(
        f"<error>\n<code><![CDATA[{code}]]></code>\n<message><![CDATA[{message}]]></message>\n</error>\n"
        for code, message in errors
    )
    return f"{_HEAD}<errors>\n{shown}</errors>\n{_TAIL}"


def permissions_xml(permissions: Mapping[str, frozenset[str]]) -> str:
    """The answer to ``GET /api/``: the collections that a key may use, and how."""
    methods = ("get", "put", "post", "patch", "delete", "head")
    shown = ""
    for name, allowed in permissions.items():
        told = " ".join(f'{one}="{str(one.upper() in allowed).lower()}"' for one in methods)
        shown += f'<{name} {told}>\n<description>{name}</description>\n<schema type="blank"/>\n</{name}>\n'
    return f'{_HEAD}<api shopName="Sklep testowy">\n{shown}</api>\n{_TAIL}'


def field_names(
    collection: str, entities: Iterable[Entity], known: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """Names of a collection's fields, in their order."""
    names = dict.fromkeys(known.get(collection, ()))
    for one in entities:
        names |= dict.fromkeys(one.fields)
        break
    return list(names)


def filterable(names: Iterable[str], *, dates: bool) -> list[str]:
    """Names that a filter may use: those of dates only when the request says ``date=1``."""
    return [one for one in names if dates or one not in _DATES]


def _rendered(node: str, entity: Entity, display: tuple[str, ...] | None) -> str:
    lines = [f"<{node}>"]
    for name, value in entity.fields.items():
        if display is None or name in display:
            lines.append(f"\t<{name}>{_text(value)}</{name}>")
    if display is None and entity.rows:
        lines.append("<associations>")
        for group, rows in entity.rows.items():
            inner = "".join(
                "<{0}>{1}</{0}>".format(
                    _row_node(group), "".join(f"<{key}>{_text(value)}</{key}>" for key, value in row.items())
                )
                for row in rows
            )
            lines.append(f'<{group} nodeType="{_row_node(group)}">{inner}</{group}>')
        lines.append("</associations>")
    return "\n".join([*lines, f"</{node}>\n"])


def _row_node(group: str) -> str:
    return NODES.get(group, group.removesuffix("s"))


def _text(value: Text) -> str:
    if isinstance(value, str):
        return f"<![CDATA[{value}]]>"
    return "".join(f'<language id="{key}"><![CDATA[{text}]]></language>' for key, text in value.items())

"""A document as a tree that remembers what has been shown.

Every reader takes values out of the tree; whatever nobody took is listed by :meth:`Node.leftovers`,
so that no element of a document can be dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml import etree

from core.fa.registry import UnknownSchema, by_namespace
from core.fa.schema import MalformedXml, parse
from core.visual.errors import NotRenderable


class Node:
    """One element: its own text, attributes and children, and which of them have been taken."""

    __slots__ = ("attributes", "children", "name", "taken", "value")

    def __init__(self, name: str = "", value: str = "", attributes: dict[str, str] | None = None) -> None:
        self.name = name
        self.value = value
        self.attributes = attributes or {}
        self.children: list[Node] = []
        self.taken = False

    def own(self) -> str:
        """Take and return the element's own text."""
        self.taken = True
        return self.value

    def attribute(self, name: str) -> str:
        """Take and return an attribute's value, empty when absent."""
        return self.attributes.pop(name, "")

    def all(self, name: str) -> list[Node]:
        """The children of that name, in order; nothing is taken."""
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> Node:
        """The first child of that name, or an empty node that answers every question with nothing."""
        for child in self.children:
            if child.name == name:
                return child
        return Node()

    def take(self, name: str) -> str:
        """Take and return the text of the first child of that name, empty when absent."""
        return self.first(name).own()

    def take_all(self, name: str) -> list[str]:
        """Take and return the non-empty texts of all children of that name."""
        return [value for child in self.all(name) if (value := child.own())]

    def peek(self, name: str) -> str:
        """The text of the first child of that name without taking it, empty when absent."""
        return self.first(name).value

    def flag(self, name: str) -> bool:
        """Whether a TWybor1 field is set; a set one and a plain "no" (2) are taken, anything else stays."""
        child = self.first(name)
        if child.value in ("1", "2"):
            child.taken = True
        return child.value == "1"

    def leftovers(self, path: str = "") -> Iterator[tuple[str, str]]:
        """Path and text of every element and attribute below this one that nobody took."""
        here = f"{path}/{self.name}" if path else self.name
        if self.value and not self.taken:
            yield here, self.value
        for name, value in self.attributes.items():
            yield f"{here}/@{name}", value
        for child in self.children:
            yield from child.leftovers(here)

    def texts(self) -> Iterable[str]:
        """Every non-empty text in the tree, taken or not."""
        if self.value:
            yield self.value
        for child in self.children:
            yield from child.texts()


def read(xml: bytes) -> Node:
    """Parse a document into a tree.

    Args:
        xml: the document's bytes, UTF-8 as KSeF demands.

    Returns:
        The node of ``Faktura``; its attribute ``form`` holds ``FA (2)`` or ``FA (3)``.

    Raises:
        NotRenderable: not UTF-8, not well-formed, with a document type, or of another namespace.
    """
    try:
        xml.decode("utf-8")
        root = parse(xml).getroot()
    except UnicodeDecodeError as error:
        raise NotRenderable(f"the document is not UTF-8 text: {error.reason}") from None
    except MalformedXml as error:
        raise NotRenderable(f"the document cannot be read as XML: {error}") from None
    name = etree.QName(root)
    try:
        schema = by_namespace(name.namespace)
    except UnknownSchema as error:
        raise NotRenderable(f"the document is no FA(2) or FA(3) invoice: {error}") from None
    if name.localname != "Faktura":
        raise NotRenderable(f"the document is {name.localname!r}, not an invoice (Faktura)")
    node = _node(root)
    node.attributes = {key: value for key, value in node.attributes.items() if key != "schemaLocation"}
    node.attributes["form"] = schema.system_code
    return node


def _node(element: etree._Element) -> Node:
    node = Node(
        _local(element.tag),
        (element.text or "").strip(),
        {_local(key): str(value) for key, value in element.attrib.items()},
    )
    for child in element:
        # comments and processing instructions say nothing, but text may follow them
        if isinstance(child.tag, str):
            node.children.append(_node(child))
        # text between elements has no place in the schema, but would be content all the same
        if child.tail and (tail := child.tail.strip()):
            node.value = f"{node.value} {tail}".strip()
    return node


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]

"""XML of the webservice to resources, and a bundle to one file and back.

A file of an order is one ``<prestashop>`` element with everything in it: resources, lists of resources and
whole answers, in any order and nesting. Secrets (keys of sessions, hashes of passwords, payment cards) are
left out as soon as they are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from lxml import etree

from adapters.contract import UnreadableFile, UnreadableOrder
from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.resource import Resource
from adapters.values import excerpt

LARGEST = 32 * 1024 * 1024
"""Bytes: several times an order with as many lines as an invoice takes."""

SECRETS = frozenset(
    {
        "card_expiration",
        "card_holder",
        "card_number",
        "download_hash",
        "last_passwd_gen",
        "passwd",
        "reset_password_token",
        "reset_password_validity",
        "secure_key",
        "token",
    }
)
"""Fields that are never kept."""

_ROOT = "prestashop"
_DEPTH = 4


def read_bundle(data: bytes) -> Bundle:
    """Read the file of one order.

    Args:
        data: untrusted bytes of a whole XML document.

    Raises:
        UnreadableFile: it is no XML that is accepted.
        UnreadableOrder: it is no answer of the webservice, an answer with errors, or not of one order.
    """
    return Bundle.of(read_resources(data))


def read_resources(data: bytes) -> tuple[Resource, ...]:
    """Read all resources of an answer.

    Args:
        data: untrusted bytes of a whole XML document.

    Raises:
        UnreadableFile: it is no XML that is accepted.
        UnreadableOrder: it is no answer of the webservice, or an answer with errors.
    """
    return resources_in(parse_answer(data))


def parse_answer(data: bytes) -> etree._Element:
    """Parse an answer of the webservice, or a file of answers.

    Args:
        data: untrusted bytes of a whole XML document.

    Returns:
        The element ``<prestashop>``.

    Raises:
        UnreadableFile: it is no XML that is accepted.
        UnreadableOrder: it is XML of something else.
    """
    root = _parse(data)
    if root.tag != _ROOT:
        raise UnreadableOrder(f"<{_ROOT}> was expected, not <{_name(root)}>")
    return root


def resources_in(root: etree._Element) -> tuple[Resource, ...]:
    """All resources of a parsed answer.

    Raises:
        UnreadableOrder: it is no answer of the webservice, or an answer with errors.
    """
    return tuple(_resources(root, 0))


def write_bundle(bundle: Bundle) -> bytes:
    """Write a bundle as the file that :func:`read_bundle` reads."""
    root = etree.Element(_ROOT)
    _write(root, bundle.order)
    for kind in bundle.others.values():
        for one in kind.values():
            _write(root, one)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _parse(data: bytes) -> etree._Element:
    """Parse without entities, DTD and network, within libxml2's limits."""
    if len(data) > LARGEST:
        raise UnreadableFile(f"{len(data)} bytes are more than {LARGEST}", form="XML")
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True,
        remove_pis=True, collect_ids=False,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableFile(f"it is no XML: {error}", form="XML") from None
    if cast("etree.DTD | None", root.getroottree().docinfo.internalDTD) is not None:
        raise UnreadableFile("a document type declaration (DOCTYPE) is not allowed", form="XML")
    return root


def _resources(parent: etree._Element, depth: int) -> Iterator[Resource]:
    if depth > _DEPTH:
        raise UnreadableOrder(f"<{_name(parent)}> stands too deep", path=_name(parent))
    for element in parent:
        name = _name(element)
        if name == "errors":
            raise UnreadableOrder(f"the shop answered with an error: {_said(element)}", path=name)
        if element.find("id") is not None:
            yield _resource(element, name)
        elif element.get("id") is not None:
            raise UnreadableOrder(
                f"{name} {excerpt(element.get('id'))} stands there without its fields",
                path=name,
                hint="GET /api/...?display=full → docs/prestashop.md",
            )
        elif _is_list(element):
            yield from _resources(element, depth + 1)
        else:
            raise UnreadableOrder(f"<{name}> is no resource: it has no id", path=name)


def _is_list(element: etree._Element) -> bool:
    """A whole answer, or a list: nothing but elements that have elements or ids of their own."""
    if element.tag == _ROOT:
        return True
    is_bare = not (element.text or "").strip()
    return is_bare and all(len(child) or child.get("id") is not None for child in element)


def _resource(element: etree._Element, kind: str) -> Resource:
    fields: dict[str, str] = {}
    rows: dict[str, tuple[Resource, ...]] = {}
    for child in element:
        name = _name(child)
        if name == "associations":
            rows = {_name(group): tuple(_resource(row, _name(row)) for row in group) for group in child}
        elif name in SECRETS:
            continue
        elif name in fields:
            raise UnreadableOrder(f"{kind}.{name} stands there twice", path=f"{kind}.{name}")
        else:
            fields[name] = _text(child)
    return Resource(kind, fields, rows)


def _text(element: etree._Element) -> str:
    """The text of a field; of a text in several languages the first that is not empty."""
    if not len(element):
        return (element.text or "").strip()
    texts = ((child.text or "").strip() for child in element)
    return next((text for text in texts if text), "")


def _said(errors: etree._Element) -> str:
    return " ".join((errors.findtext(".//message") or "no message").split())[:200]


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _write(parent: etree._Element, resource: Resource) -> None:
    element = etree.SubElement(parent, resource.kind)
    for name, text in resource.fields.items():
        etree.SubElement(element, name).text = text
    if resource.rows:
        groups = etree.SubElement(element, "associations")
        for name, rows in resource.rows.items():
            group = etree.SubElement(groups, name)
            for row in rows:
                _write(group, row)

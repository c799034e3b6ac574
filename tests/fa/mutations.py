"""Documents of both versions, and every single change of one that a schema might notice.

:func:`mutations` changes a tree in place, yields what it did, and undoes it: thousands of documents without
a copy. The same document gives the same changes in the same order.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from lxml import etree
from xmlschema.validators import XsdElement

from core.fa.registry import FA2, FA3, FaSchema
from tests.fa.structures import ETD, XSI, Steps, attributes, children, facets, simple_of

EXAMPLES: Final = (1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25)
"""Numbers of the Ministry's examples of FA(3)."""

_VALUES: Final = (
    "", " ", "\n", "x", "X", "0", "1", "2", "3", "8", "11", "99", "-1", "+1", "01", " 1 ", "1.0", "1.", ".5",
    "-0", "1.10", "1.234", "1e3", "1,5", "1 000", "NaN", "INF", "0.0000001", "100.000001",
    "true", "zw", "ZW", "np", "np I", "0 KR", "oo", "23", "PL", "pl", "EL", "GR", "XI", "GB", "XX", "PLN",
    "XCG", "VAT", "KOR ", "KOR_ZAL", "GTU_01", "GTU_14", "I_42", "IED", "2025-09-01", "2025-02-29",
    "2016-06-30", "2005-12-31", "1989-12-31", "2050-01-02", "2025-09-01Z", "2025-09-01T00:00:00",
    "2025-08-31T23:59:59Z", "2025-09-01T00:00:00+01:00", "2025-09-01T24:00:00Z", "5260250274", "0260250274",
    "526025027", "PL5260250274", " 5260250274", "M123456789", "a@b", "a@", "@b", "a b@c d", "ąę ß€", "a\tb",
    "a  b", " a", "a\n", "5265877635-20250826-0100001AF629-AF", "5265877635-20250826-010000-1AF629-AF",
    "5265877635-20251326-0100001AF629-AF", "PL61109010140000071219812874", "0" * 9, "0" * 14, "AB" * 4,
    "AB" * 3, "https://a.pl/?IPKSeF=123ABCDEFGHIJ", "https://a.pl/?IPKSeF=12", "123ABCDEFGHIJ",
)  # fmt: skip
"""Put into every field: right for some types, wrong for others, on the edge of many."""

_FEW: Final = ("", "1", "\u0105" * 600)
_ATTRIBUTE_VALUES: Final = ("", "x", "FA (2)", "FA (3)", "1-0E", "txt", "date")


@dataclass(frozen=True, slots=True)
class Place:
    """An element of the document with what the official structure says of it, if it knows the element."""

    element: etree._Element
    steps: Steps
    declaration: XsdElement | None


def example(folder: Path, schema: FaSchema, number: int) -> etree._Element:
    """One of the Ministry's examples as FA(3), or rewritten so that it is an FA(2) document.

    Args:
        folder: ``fa3-examples`` of the reference files.
        schema: the version wanted.
        number: one of :data:`EXAMPLES`.
    """
    (file,) = folder.glob(f"*_{number}.xml")
    text = file.read_text("utf-8")
    if schema is FA2:
        text = text.replace(FA3.namespace, FA2.namespace).replace(FA3.system_code, FA2.system_code)
        text = text.replace("<WariantFormularza>3<", "<WariantFormularza>2<")
    root = etree.fromstring(text.encode())
    if schema is FA2:
        _drop_what_fa2_lacks(root)
    return root


def _drop_what_fa2_lacks(root: etree._Element) -> None:
    for name in ("JST", "GV", "Zalacznik", "LinkDoPlatnosci", "IPKSeF", "TerminOpis"):
        for element in list(root.iter(f"{{*}}{name}")):
            _parent(element).remove(element)
    for element in list(root.iter("{*}TerminPlatnosci")):
        if not len(element):
            _parent(element).remove(element)
    for part in root.iter("{*}ZaplataCzesciowa"):
        for element in list(part)[2:]:
            part.remove(element)
    for element in root.iter("{*}P_12", "{*}P_12Z"):
        element.text = re.sub(r"^(0|np) .*", r"\1", element.text or "")
    for element in root.iter("{*}NrRB", "{*}NrID"):
        element.text = re.sub(r"\W", "", element.text or "")


def places(root: etree._Element, declared: dict[Steps, XsdElement]) -> list[Place]:
    """Every element of a document with its declaration, in document order."""
    found: list[Place] = []

    def walk(element: etree._Element, above: Steps) -> None:
        steps = (*above, etree.QName(element).localname)
        found.append(Place(element, steps, declared.get(steps)))
        for child in element.iterchildren("*"):
            walk(child, steps)

    walk(root, ())
    return found


def mutations(
    root: etree._Element,
    declared: dict[Steps, XsdElement],
    donor: dict[Steps, etree._Element],
    known: frozenset[Steps] = frozenset(),
) -> Iterator[str]:
    """Change the tree in one place, yield what was changed, and undo it; again and again.

    Every value is tried in the first field of each named type and in fields with a type of their own; the
    other fields get a few.

    Args:
        root: a document.
        declared: from :func:`tests.fa.structures.declared`.
        donor: an element of each kind, for adding those that the document lacks.
        known: elements to leave alone, because another document's changes went through them.
    """
    seen: set[Steps] = set()
    types: set[str] = set()
    for place in places(root, declared):
        if place.steps in known:
            continue
        label = "/".join(place.steps)
        first = place.steps not in seen
        seen.add(place.steps)
        yield from (f"{label}: {change}" for change in _moves(place))
        if not first:
            continue
        yield from (f"{label}: {change}" for change in _contents(place))
        yield from (f"{label}: {change}" for change in _names(place))
        yield from (f"{label}: {change}" for change in _attributes(place))
        if len(place.element):
            yield from (f"{label}: {change}" for change in _additions(place, donor))
        elif place.declaration is not None:
            name = place.declaration.type.name or label
            all_values = name not in types
            values = [*_VALUES, *edges(place.declaration)] if all_values else _FEW
            types.add(name)
            yield from (f"{label}: {change}" for change in _values(place.element, values))


def _values(element: etree._Element, values: Iterable[str]) -> Iterator[str]:
    old = element.text
    for value in dict.fromkeys(values):
        element.text = value
        yield f"value {value[:40]!r} of {len(value)}"
    element.text = old


def edges(declaration: XsdElement) -> list[str]:
    """Values at, over and under each bound of an element's type, and each allowed value."""
    limits = facets(simple_of(declaration.type))
    values: list[str] = []
    for name in ("minLength", "maxLength"):
        if name in limits:
            length = int(str(limits[name]))
            values += [
                letter * (length + step) for step in (-1, 0, 1) for letter in "x9" if length + step >= 0
            ]
    for name in ("minInclusive", "maxInclusive", "minExclusive"):
        if name in limits:
            values += _around(str(limits[name]))
    if "fractionDigits" in limits:
        whole = int(str(limits["totalDigits"])) - int(str(limits["fractionDigits"]))
        places = int(str(limits["fractionDigits"]))
        values += [
            f"{'9' * (whole + over)}.{'9' * (places + under)}"
            for over, under in itertools.product((-2, -1, 0, 1), (-1, 0, 1))
            if places + under
        ]
    elif "totalDigits" in limits:
        values += ["9" * (int(str(limits["totalDigits"])) + step) for step in (-1, 0, 1)]
    allowed = limits.get("enumeration", [])
    assert isinstance(allowed, list)
    return [*values, *allowed, *(str(value).lower() + "_" for value in allowed[:3])]


def _around(limit: str) -> list[str]:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", limit):
        day = date.fromisoformat(limit)
        return [(day + timedelta(step)).isoformat() for step in (-1, 0, 1)]
    if "T" in limit:
        return [
            limit,
            limit.replace("Z", "+00:01"),
            limit.replace("Z", "-00:01"),
            limit.replace("Z", ".001Z"),
        ]
    return [limit, str(int(limit) - 1), str(int(limit) + 1), f"{limit}.000001", f"{limit}.0000001"]


def _moves(place: Place) -> Iterator[str]:
    """The element dropped, moved among its neighbours, and repeated."""
    element, parent = place.element, place.element.getparent()
    if parent is None:
        return
    at = parent.index(element)
    parent.remove(element)
    yield "dropped"
    for other in sorted({0, at - 1, at + 1, len(parent)} - {at, -1}):
        parent.insert(other, element)
        yield f"moved from {at} to {other}"
        parent.remove(element)
    parent.insert(at, element)
    yield from _repeated(place, parent, at)


def _contents(place: Place) -> Iterator[str]:
    """Text, a comment and strange elements put into the element; its children cut off."""
    element, old = place.element, place.element.text
    for text in ("text", "\n\t "):
        element.text = text + (old or "")
        yield f"{text!r} in front of the content"
    element.text = old
    for strange in (etree.Comment("note"), etree.Element("Nieznany"), etree.SubElement(element, "temporary")):
        if strange.tag == "temporary":
            strange.tag = f"{{{etree.QName(element).namespace}}}Nieznany"
        for at in sorted({0, len(element)}):
            element.insert(at, strange)
            yield f"{strange.tag if isinstance(strange.tag, str) else 'comment'} put in at {at}"
            element.remove(strange)
    nodes = list(element)
    for kept in range(len(nodes)):
        del element[kept:]
        yield f"only {kept} of {len(nodes)} children kept"
        element.extend(nodes[kept:])


def _repeated(place: Place, parent: etree._Element, at: int) -> Iterator[str]:
    most = place.declaration.max_occurs if place.declaration is not None else 1
    over = sum(1 for _ in parent.iterchildren(place.element.tag))
    copies = [copy.deepcopy(place.element)]
    parent.insert(at + 1, copies[0])
    yield "doubled"
    if most is not None and 1 < most <= 101 and over == 1:
        for _ in range(most - 1):
            copies.append(copy.deepcopy(place.element))
            parent.insert(at + 1, copies[-1])
            if len(copies) >= most - 1:
                yield f"{len(copies) + 1} times"
    for extra in copies:
        parent.remove(extra)


def _names(place: Place) -> Iterator[str]:
    """Another name or another namespace for the element."""
    element, old = place.element, place.element.tag
    name = etree.QName(element)
    parent = place.element.getparent()
    twin = FA2.namespace if name.namespace == FA3.namespace else FA3.namespace
    tags = [f"{{{name.namespace}}}{new}" for new in (name.localname.lower(), name.localname + "X")]
    tags += [f"{{{namespace}}}{name.localname}" for namespace in (twin, ETD)] + [name.localname]
    if parent is not None:
        tags += [str(sibling.tag) for sibling in parent.iterchildren("*") if sibling.tag != old][:4]
    for tag in tags:
        element.tag = tag
        yield f"renamed to {tag}"
    element.tag = old


def _attributes(place: Place) -> Iterator[str]:
    """Attributes dropped, changed and added; those of XML Schema itself included."""
    element = place.element
    old = [(str(name), str(value)) for name, value in element.attrib.items()]

    def restore() -> None:
        element.attrib.clear()
        element.attrib.update(old)

    for name, value in old:
        del element.attrib[name]
        yield f"attribute {name} dropped"
        for new in (*_ATTRIBUTE_VALUES, f" {value}", f"{value} ", value.lower()):
            element.set(name, new)
            yield f"attribute {name} is {new!r}"
        restore()
    added = [
        ("nieznany", "1"),
        ("{http://www.w3.org/XML/1998/namespace}lang", "pl"),
        (f"{XSI}nil", "true"),
        (f"{XSI}nil", "false"),
        (f"{XSI}schemaLocation", "urn:a http://localhost:1/a.xsd"),
        (f"{XSI}noNamespaceSchemaLocation", "a.xsd"),
        *((f"{XSI}type", name) for name in _type_names(place)),
    ]
    if place.declaration is not None:
        added += [(name.lower(), "1") for name in attributes(place.declaration.type)]
    for name, value in added:
        element.set(name, value)
        yield f"attribute {name} set to {value!r}"
        restore()


def _type_names(place: Place) -> list[str]:
    """Names for xsi:type: the declared type, the types made from it, and two that never fit."""
    if place.declaration is None:
        return []
    prefixes = {uri: prefix for prefix, uri in place.element.nsmap.items()}
    kind = place.declaration.type
    names = ["TKodKraju", "nieznany:T"]
    for other in place.declaration.maps.types.values():
        uri, _, local = str(other.name).removeprefix("{").rpartition("}")
        if uri in prefixes and (other is kind or other.is_derived(kind)):
            names.append(f"{prefixes[uri]}:{local}" if prefixes[uri] else local)
    return names


def _additions(place: Place, donor: dict[Steps, etree._Element]) -> Iterator[str]:
    """Each element that the structure allows here and the document lacks, put in at and near its place."""
    element = place.element
    if place.declaration is None:
        return
    order = [child.local_name for child in children(place.declaration)]
    present = [etree.QName(child).localname for child in element.iterchildren("*")]
    for name in dict.fromkeys(order):
        model = donor.get((*place.steps, name))
        if name in present or model is None:
            continue
        extra = copy.deepcopy(model)
        at = sum(1 for other in present if other in order and order.index(other) < order.index(name))
        for position in sorted({max(at - 1, 0), at, min(at + 1, len(element))}):
            element.insert(position, extra)
            yield f"{name} added at {position}"
            element.remove(extra)


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None
    return parent

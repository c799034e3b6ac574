"""The official structures and our own, read by a second implementation (xmlschema) that shows their parts.

Gives a normal form of a content model and of a simple type, so that two schemas can be compared part by
part, and makes sample documents from a structure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from lxml import etree
from xmlschema import XMLSchema10
from xmlschema.validators import (
    XsdAttribute,
    XsdComplexType,
    XsdElement,
    XsdEnumerationFacets,
    XsdFacet,
    XsdGroup,
    XsdPatternFacets,
    XsdSimpleType,
    XsdType,
    XsdUnion,
)

from core.fa.registry import SCHEMA_FOLDER, FaSchema

XS: Final = "{http://www.w3.org/2001/XMLSchema}"
XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
ETD: Final = "http://crd.gov.pl/xml/schematy/dziedzinowe/mf/2022/01/05/eD/DefinicjeTypy/"

Steps = tuple[str, ...]
"""Local names from the root down."""

_CANDIDATES: Final = (
    "1", "a", "2025-10-01", "2025-10-01T08:00:00Z", "a@b.pl", "5260250274", "5260250274-00001",
    "PL12", "000002217",
    "0000028860", "123ABCDEFGHIJ", "BIGBPLPW", "BIGBPLPWXXX", "5265877635-20250826-0100001AF629-AF",
    "12345678901234567890123456", "https://example.pl/p?IPKSeF=123ABCDEFGHIJ", "00000221700000",
)  # fmt: skip
"""Values of which every simple type of the structures accepts at least one."""


def load(schema: FaSchema, official: Path | None) -> XMLSchema10:
    """Our structure, or the official one from its folder; addresses of the publisher mean that folder."""
    if official is None:
        return XMLSchema10(str(SCHEMA_FOLDER / schema.file_name))

    def local(url: str) -> str:
        return str(official / url.rpartition("/")[2]) if url.startswith("http://crd.gov.pl/") else url

    return XMLSchema10(str(official / schema.official_file_name), uri_mapper=local)


def group_of(kind: XsdType) -> XsdGroup | None:
    """The content model of a type that holds elements, else nothing."""
    content = kind.content if isinstance(kind, XsdComplexType) else None
    return content if isinstance(content, XsdGroup) else None


def simple_of(kind: XsdType) -> XsdSimpleType:
    """The type of the value, of a simple type or of a complex one with attributes and a value."""
    simple = kind.content if isinstance(kind, XsdComplexType) else kind
    assert isinstance(simple, XsdSimpleType), f"{kind} holds elements"
    return simple


def children(element: XsdElement) -> list[XsdElement]:
    """The elements declared inside an element, in the structure's order."""
    group = group_of(element.type)
    return (
        [] if group is None else [child for child in group.iter_elements() if isinstance(child, XsdElement)]
    )


def declared(schema: XMLSchema10) -> dict[Steps, XsdElement]:
    """Every element that a document may have, by its steps from the root, in document order."""
    found: dict[Steps, XsdElement] = {}

    def walk(element: XsdElement, above: Steps) -> None:
        steps = (*above, element.local_name)
        found[steps] = element
        for child in children(element):
            walk(child, steps)

    walk(schema.elements["Faktura"], ())
    return found


@dataclass(frozen=True, slots=True)
class Particle:
    """A part of a content model: an element's name, or ``seq``/``choice`` with parts."""

    kind: str
    low: int
    high: int | None
    parts: tuple[Particle, ...] = ()

    @property
    def emptiable(self) -> bool:
        if self.low == 0:
            return True
        if self.kind == "seq":
            return all(part.emptiable for part in self.parts)
        return self.kind == "choice" and any(part.emptiable for part in self.parts)

    def times(self, low: int, high: int | None) -> Particle:
        return Particle(self.kind, low, high, self.parts)


def content_model(group: XsdGroup) -> Particle:
    """The normal form: two models with one normal form accept the same sequences of elements.

    Only rules that keep the language are used: a lone part takes its group's place, a group inside a group
    of the same kind is opened, an optional group of optional parts is not optional itself, and a choice of
    optional parts is an optional choice.
    """
    kind = "choice" if group.model == "choice" else "seq"
    parts: list[Particle] = []
    for child in group:
        part = (
            Particle(child.local_name, child.min_occurs, child.max_occurs)
            if isinstance(child, XsdElement)
            else content_model(_as_group(child))
        )
        if part.kind == kind and (part.low, part.high) == (1, 1):
            parts.extend(part.parts)
        elif part.kind not in {"seq", "choice"} or part.parts:
            parts.append(part)
    low, high = group.min_occurs, group.max_occurs
    assert (low, high) in {(0, 1), (1, 1)}, "only elements repeat in these structures"
    if kind == "choice":
        if any(part.low == 0 for part in parts):
            low = 0
        assert all(part.high == 1 for part in parts)
        parts = sorted((part.times(1, 1) for part in parts), key=repr)
    elif low == 0 and all(part.emptiable for part in parts):
        low = 1
    if len(parts) == 1:
        return parts[0].times(min(low, parts[0].low), parts[0].high)
    return Particle(kind, low, high, tuple(parts))


def _as_group(part: object) -> XsdGroup:
    assert isinstance(part, XsdGroup), f"{part} is neither an element nor a group"
    return part


def facets(kind: XsdType) -> dict[str, object]:
    """What a simple type accepts in the end: its built-in root, and each facet as derivation leaves it."""
    if isinstance(kind, XsdUnion):
        return {"union": [facets(member) for member in kind.member_types]}
    found: dict[str, object] = {}
    patterns: list[tuple[str, ...]] = []
    step: XsdType | None = kind
    while isinstance(step, XsdSimpleType):
        if step.name is not None and step.name.startswith(XS):
            found["root"] = step.name.removeprefix(XS)
            break
        for name, facet in step.facets.items():
            short = str(name).removeprefix(XS)
            if isinstance(facet, XsdPatternFacets):
                patterns.append(tuple(sorted(facet.regexps)))
            elif isinstance(facet, XsdEnumerationFacets):
                found.setdefault(short, sorted(str(value) for value in facet.enumeration))
            elif isinstance(facet, XsdFacet):
                found.setdefault(short, str(facet.value))
        step = step.base_type
    if patterns:
        found["pattern"] = sorted(patterns)
    return found


def attributes(kind: XsdType) -> dict[str, object]:
    """Attributes of a complex type with use, fixed value and facets."""
    if not isinstance(kind, XsdComplexType):
        return {}
    return {
        str(name): (attribute.use, attribute.fixed, facets(attribute.type))
        for name, attribute in kind.attributes.items()
        if isinstance(attribute, XsdAttribute)
    }


def named_line(kind: XsdType) -> list[str | None]:
    """A type's name and the names of the types it is derived from: what xsi:type looks at."""
    line: list[str | None] = []
    step: XsdType | None = kind
    while step is not None and not (step.name or "").startswith(XS):
        line.append(step.name)
        step = step.base_type
    return line


def value_of(kind: XsdType, turn: int = 0) -> str:
    """A value that a simple type accepts; for lists of values the ``turn``-th."""
    simple = simple_of(kind)
    if simple.enumeration:
        return str(simple.enumeration[turn % len(simple.enumeration)])
    return next(value for value in _CANDIDATES if not list(simple.iter_errors(value)))


def sample(schema: XMLSchema10, turn: int, *, full: bool) -> etree._Element:
    """A valid document: all optional parts (``full``) or none, and of each choice one branch.

    ``turn`` is read as a number whose digits are the branches, the lowest digit for the outermost choice, so
    that successive turns meet every combination of nested branches.
    """
    namespace = schema.target_namespace
    prefixes: dict[str | None, str] = {
        None: namespace,
        "etd": ETD,
        "tns": namespace,
        "xs": XS[1:-1],
        "xsi": XSI[1:-1],
    }

    def fill(node: etree._Element, element: XsdElement, turn: int) -> None:
        for name, attribute in element.attributes.items():
            assert isinstance(attribute, XsdAttribute)
            node.set(str(name), attribute.fixed or value_of(attribute.type, turn))
        if group := group_of(element.type):
            for child, deeper in chosen(group, turn):
                below = etree.SubElement(node, f"{{{namespace}}}{child.local_name}")
                fill(below, child, deeper)
        else:
            node.text = element.fixed or value_of(element.type, turn)

    def chosen(group: XsdGroup, turn: int) -> Iterator[tuple[XsdElement, int]]:
        if group.min_occurs == 0 and not full:
            return
        parts = list(group)
        if group.model == "choice":
            turn, branch = divmod(turn, len(parts))
            parts = [parts[branch]]
        for part in parts:
            if isinstance(part, XsdElement):
                times = max(part.min_occurs, 1) if full else part.min_occurs
                yield from ((part, turn) for _ in range(times))
            else:
                yield from chosen(_as_group(part), turn)

    root = etree.Element(f"{{{namespace}}}Faktura", nsmap=cast("dict[str, str]", prefixes))
    fill(root, schema.elements["Faktura"], turn)
    return root

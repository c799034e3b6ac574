"""Our XSDs and the Ministry's give the same verdict: on structure, part by part, and on changed documents."""

from __future__ import annotations

import copy
import functools
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree
from xmlschema import XMLSchema10
from xmlschema.validators import XsdElement

from core.fa.registry import FA2, FA3, SCHEMA_FOLDER, SCHEMAS, FaSchema
from core.fa.schema import compiled
from tests.fa.mutations import EXAMPLES, example, mutations, places
from tests.fa.structures import (
    Steps,
    attributes,
    content_model,
    declared,
    facets,
    group_of,
    load,
    named_line,
    sample,
    simple_of,
)

VERSIONS = pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.version)
TURNS = (0, 1, 2, 3, 4, 6, 12, 18)
"""Turns of :func:`tests.fa.structures.sample` that together meet every branch of every choice."""

DOCUMENTS = (
    *(f"example-{number}" for number in EXAMPLES),
    "smallest",
    *(f"largest-{turn}" for turn in TURNS),
)

# the older structure is accepted by the TEST environment only, and has most of its parts in common
MUTATED = pytest.mark.parametrize(
    ("schema", "name"),
    [
        pytest.param(
            schema,
            name,
            id=f"{name}-{schema.version}",
            marks=[pytest.mark.faults] if schema is FA2 and name.startswith("largest") else [],
        )
        for schema in SCHEMAS
        for name in DOCUMENTS
    ],
)
WHOLE = pytest.mark.parametrize(
    "schema",
    [FA3, pytest.param(FA2, marks=pytest.mark.faults)],
    ids=lambda schema: schema.version,
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How the two schemas judged a document's mutations."""

    valid: int
    invalid: int
    differences: tuple[str, ...]


@functools.cache
def official_schema(schema: FaSchema, folder: Path) -> XMLSchema10:
    return load(schema, folder / "schemas")


@functools.cache
def official_elements(schema: FaSchema, folder: Path) -> dict[Steps, XsdElement]:
    return declared(official_schema(schema, folder))


@functools.cache
def donors(schema: FaSchema, folder: Path, before: int = 100) -> dict[Steps, etree._Element]:
    """One element of each kind, from the largest documents; only those of the turns before one."""
    found: dict[Steps, etree._Element] = {}
    for turn in TURNS:
        if turn < before:
            root = sample(official_schema(schema, folder), turn, full=True)
            for place in places(root, official_elements(schema, folder)):
                found.setdefault(place.steps, place.element)
    return found


def document(schema: FaSchema, folder: Path, name: str) -> etree._Element:
    kind, _, number = name.partition("-")
    if kind == "example":
        return example(folder / "fa3-examples", schema, int(number))
    return sample(official_schema(schema, folder), int(number or 0), full=kind == "largest")


@functools.cache
def tally(schema: FaSchema, folder: Path, name: str) -> Tally:
    root = document(schema, folder, name)
    ours, theirs = compiled(schema), compiled(schema, folder / "schemas")
    before = _canonical(root)
    counts: Counter[bool] = Counter()
    differences = []
    kind, _, turn = name.partition("-")
    changes = mutations(
        root,
        official_elements(schema, folder),
        donors(schema, folder),
        known=frozenset(donors(schema, folder, int(turn))) if kind == "largest" else frozenset(),
    )
    tree = root.getroottree()
    for change in changes:
        verdict = theirs(tree)
        counts[verdict] += 1
        if ours(tree) != verdict:
            differences.append(f"{'valid' if verdict else 'invalid'} by the official schema: {change}")
    assert _canonical(root) == before, "a mutation was not undone"
    return Tally(counts[True], counts[False], tuple(differences))


def _canonical(root: etree._Element) -> bytes:
    return etree.tostring(root, method="c14n", exclusive=True)


def differences(ours: XMLSchema10, theirs: XMLSchema10) -> list[str]:
    """Every part in which two structures differ, by the element's steps."""
    left, right = declared(ours), declared(theirs)
    found = [f"{'/'.join(steps)}: only in one" for steps in left.keys() ^ right.keys()]
    if not found and list(left) != list(right):
        found.append("elements stand in another order")
    for steps in left.keys() & right.keys():
        pairs = [_parts(left[steps]), _parts(right[steps])]
        found += [
            f"{'/'.join(steps)}: {part} is {pairs[0].get(part)}, officially {pairs[1].get(part)}"
            for part in pairs[0].keys() | pairs[1].keys()
            if pairs[0].get(part) != pairs[1].get(part)
        ]
    return sorted(found)


def _parts(element: XsdElement) -> dict[str, object]:
    group = group_of(element.type)
    return {
        "content": content_model(group) if group is not None else facets(simple_of(element.type)),
        "attributes": attributes(element.type),
        "type": named_line(element.type),
        "fixed": element.fixed,
        "default": element.default,
        "nillable": element.nillable,
        "mixed": getattr(element.type, "mixed", False),
    }


@VERSIONS
def test_structures_agree_part_by_part(schema: FaSchema, official_ksef: Path) -> None:
    """Content model, occurrence bounds, facets, attributes and fixed value of every element are the same."""
    assert differences(load(schema, None), official_schema(schema, official_ksef)) == []


@VERSIONS
def test_named_types_agree(schema: FaSchema, official_ksef: Path) -> None:
    """The types that a document can name in xsi:type are the same, and are derived from the same."""
    ours, theirs = load(schema, None), official_schema(schema, official_ksef)
    assert set(ours.types) == set(theirs.types)
    assert {name: named_line(kind) for name, kind in ours.types.items()} == {
        name: named_line(kind) for name, kind in theirs.types.items()
    }
    used = {element.type for element in official_elements(schema, official_ksef).values()}
    derived = {
        kind.name
        for kind in theirs.maps.types.values()
        if any(kind.is_derived(base) for base in used)
        and not str(kind.name).startswith("{http://www.w3.org/")
    }
    assert derived <= set(ours.maps.types)
    assert set(ours.elements) == set(theirs.elements) == {"Faktura"}


@pytest.mark.parametrize(
    ("file", "before", "after", "where"),
    [
        ("shared.xsd", 'maxOccurs="31"', 'maxOccurs="30"', "Faktura/Fa"),
        ("shared.xsd", '"P_14_1W" type="TKwotowy" minOccurs="0"', '"P_14_1W" type="TKwotowy"', "Faktura/Fa"),
        ("shared.xsd", '<xs:maxLength value="16"/>', '<xs:maxLength value="17"/>', "Faktura/Podmiot1/"),
        ("shared.xsd", '<xs:group ref="Korekta" minOccurs="0"/>', '<xs:group ref="Korekta"/>', "Faktura/Fa"),
        ("elementary.xsd", r"\d{10}", r"\d{9,10}", "Faktura/Stopka/Rejestry/KRS"),
        ("elementary.xsd", '<xs:minLength value="3"/>', "", "Faktura/Podmiot1/DaneKontaktowe/Email"),
        ("fa3.xsd", 'value="XCG"', 'value="XCH"', "Faktura/Fa/KodWaluty"),
        ("fa3.xsd", 'fixed="FA (3)"', 'fixed="FA (2)"', "Faktura/Naglowek/KodFormularza"),
    ],
)  # fmt: skip
def test_comparison_notices_a_difference(
    file: str, before: str, after: str, where: str, official_ksef: Path, tmp_path: Path
) -> None:
    """The comparison part by part is not blind: a slip in one of our files is found and placed."""
    for path in SCHEMA_FOLDER.glob("*.xsd"):
        text = path.read_text("utf-8")
        if path.name == file:
            assert before in text
            text = text.replace(before, after, 1)
        (tmp_path / path.name).write_text(text, "utf-8")
    found = differences(XMLSchema10(str(tmp_path / FA3.file_name)), official_schema(FA3, official_ksef))
    assert any(line.startswith(where) for line in found), found


@VERSIONS
@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_valid(schema: FaSchema, name: str, official_ksef: Path) -> None:
    """The documents that the mutations start from satisfy both schemas."""
    tree = document(schema, official_ksef, name).getroottree()
    assert compiled(schema, official_ksef / "schemas")(tree)
    assert compiled(schema)(tree)


@MUTATED
def test_mutations_are_judged_alike(schema: FaSchema, name: str, official_ksef: Path) -> None:
    """No single change of a document is valid by one schema and invalid by the other."""
    assert tally(schema, official_ksef, name).differences == ()


@WHOLE
def test_mutations_are_many_and_mixed(schema: FaSchema, official_ksef: Path) -> None:
    """The mutations are at least 5 000 for a version, and neither verdict is rare among them."""
    tallies = [tally(schema, official_ksef, name) for name in DOCUMENTS]
    valid, invalid = sum(one.valid for one in tallies), sum(one.invalid for one in tallies)
    assert valid + invalid >= 5_000
    assert min(valid, invalid) >= 0.1 * (valid + invalid)


@VERSIONS
def test_largest_documents_hold_every_element(schema: FaSchema, official_ksef: Path) -> None:
    """Nothing that the official structure declares is missing from the documents that are mutated."""
    assert donors(schema, official_ksef).keys() == official_elements(schema, official_ksef).keys()


@VERSIONS
def test_other_version_is_refused(schema: FaSchema, official_ksef: Path) -> None:
    """A document of the other version is valid by neither schema."""
    other = FA2 if schema is FA3 else FA3
    tree = document(other, official_ksef, "example-1").getroottree()
    assert not compiled(schema)(tree)
    assert not compiled(schema, official_ksef / "schemas")(tree)


@VERSIONS
def test_large_occurrence_bounds(schema: FaSchema, official_ksef: Path) -> None:
    """Elements that may stand 1 000 to 50 000 times: the bound is accepted and one more is not, by both."""
    ours, theirs = compiled(schema), compiled(schema, official_ksef / "schemas")
    checked = 0
    for steps, element in official_elements(schema, official_ksef).items():
        most = element.max_occurs or 0
        if most < 1_000:
            continue
        checked += 1
        for turn in TURNS:
            root = sample(official_schema(schema, official_ksef), turn, full=True)
            met = root.find("/".join(f"{{*}}{name}" for name in steps[1:]))
            if met is not None:
                break
        assert met is not None
        for child in reversed(met):  # the smallest form that is still valid
            at = met.index(child)
            met.remove(child)
            if not theirs(root.getroottree()):
                met.insert(at, child)
        parent = met.getparent()
        assert parent is not None
        at = parent.index(met) + 1
        parent[at:at] = [copy.deepcopy(met) for _ in range(most - 1)]
        assert theirs(root.getroottree())
        assert ours(root.getroottree()), steps
        parent.insert(at, copy.deepcopy(met))
        assert not theirs(root.getroottree())
        assert not ours(root.getroottree()), steps
    assert checked >= 6

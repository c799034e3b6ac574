"""Every operation is valid by the published schema, cheap enough, and needs no other scope than ours."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
    is_union_type,
    parse,
    validate,
    visit,
)

from adapters.shopify.oauth import SCOPES
from adapters.shopify.operations import OPERATIONS, ORDER, Operation
from adapters.shopify.reading import Reader
from adapters.shopify.webhooks import FIELDS
from sandbox.shopify.cost import MOST_PER_QUERY, cost_of
from sandbox.shopify.schema import pruned_schema
from tests.shopify.conftest import ROOT, SCHEMA

FIRST = Reader.__dataclass_fields__["first"].default
named = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)


@named
def test_valid_by_the_published_schema(operation: Operation, published: GraphQLSchema) -> None:
    assert validate(published, parse(operation.text)) == []


@named
def test_valid_by_the_committed_part_and_cheap(operation: Operation) -> None:
    """No query may cost more than 1000 points; ours stay far enough below."""
    schema, document = pruned_schema(), parse(operation.text)
    assert validate(schema, document) == []
    assert cost_of(schema, document, {"first": FIRST}) < 0.7 * MOST_PER_QUERY


@named
def test_writes_are_marked(operation: Operation) -> None:
    """A mutation that is not marked would be repeated blindly."""
    (definition,) = [one for one in parse(operation.text).definitions if one.kind == "operation_definition"]
    assert operation.writes is (operation.text.startswith("mutation "))
    assert getattr(definition, "name").value == operation.name  # noqa: B009 - of operations only


@named
def test_nothing_deprecated(operation: Operation, published: GraphQLSchema) -> None:
    info = TypeInfo(published)
    found: list[str] = []

    class Look(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            field = info.get_field_def()
            if field is not None and field.deprecation_reason:
                found.append(node.name.value)

    visit(parse(operation.text), TypeInfoVisitor(info, Look()))
    assert found == []


def test_the_committed_part_agrees_with_the_published_schema(published: GraphQLSchema) -> None:
    """Each type, field, argument and enumeration value is there, of the same kind and type."""
    for name, ours in pruned_schema().type_map.items():
        if name.startswith("__"):
            continue
        theirs = published.type_map[name]
        assert type(theirs) is type(ours), name
        if is_enum_type(ours) and is_enum_type(theirs):
            assert set(ours.values) <= set(theirs.values), name
        if is_union_type(ours) and is_union_type(theirs):
            assert {one.name for one in ours.types} <= {one.name for one in theirs.types}, name
        if is_input_object_type(ours) and is_input_object_type(theirs):
            for key, value in ours.fields.items():
                assert str(value.type) == str(theirs.fields[key].type), f"{name}.{key}"
        if (is_object_type(ours) and is_object_type(theirs)) or (
            is_interface_type(ours) and is_interface_type(theirs)
        ):
            assert {one.name for one in ours.interfaces} <= {one.name for one in theirs.interfaces}, name
            for key, field in ours.fields.items():
                other = theirs.fields[key]
                assert str(field.type) == str(other.type), f"{name}.{key}"
                for argument, one in field.args.items():
                    assert str(one.type) == str(other.args[argument].type), f"{name}.{key}({argument})"


def test_topics_are_known(published: GraphQLSchema) -> None:
    topics = published.type_map["WebhookSubscriptionTopic"]
    assert is_enum_type(topics)
    assert set(FIELDS) <= set(topics.values)


def test_scopes_suffice(published: GraphQLSchema) -> None:
    """Each type and field that we read is readable with one of the scopes that we ask for."""
    shared = Path(os.environ.get("SHOPS_SHARED_DIR", ROOT.parent / "shared" / "shops"))
    path = shared / SCHEMA if (shared / SCHEMA).is_file() else Path("/work/shared/shops") / SCHEMA
    with gzip.open(path) as file:
        items = json.load(file)["offline_scopes"]["items"]
    by_place = {(one["typeName"], one.get("fieldName")): set(one["offlineScopes"]) for one in items}
    ours = set(SCOPES)
    lacking: set[tuple[str, str | None]] = set()
    for operation in OPERATIONS:
        info = TypeInfo(published)

        class Look(Visitor):
            def enter_field(self, node: FieldNode, *_: Any, info: TypeInfo = info) -> None:
                parent = info.get_parent_type()
                assert parent is not None
                for place in ((parent.name, None), (parent.name, node.name.value)):
                    needed = by_place.get(place, set())
                    if needed and not needed & ours:
                        lacking.add(place)

        visit(parse(operation.text), TypeInfoVisitor(info, Look()))
    assert lacking == set()


def test_the_query_for_order_files_is_the_adapters() -> None:
    """docs/examples/shopify-order.graphql asks for what the mapping reads."""
    text = (ROOT / "docs" / "examples" / "shopify-order.graphql").read_text(encoding="utf-8")
    assert text == ORDER.text.strip() + "\n"

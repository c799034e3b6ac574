"""What a query costs, and the bucket it is paid from, by the documented rules of the Admin API.

An object costs one point, a scalar nothing, a connection as many times its items' cost as it asks for,
a mutation ten more. One query may cost 1000 points; the bucket of the smallest plan refills by 100 a
second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

MOST_PER_QUERY = 1000
BUCKET = 2000.0
RESTORE_RATE = 100.0
_MUTATION = 10


@dataclass(slots=True)
class Bucket:
    """The points of one app at one shop.

    Attributes:
        clock: the time now, aware UTC.
        available: points at ``at``.
    """

    clock: Callable[[], datetime]
    available: float = BUCKET
    at: datetime | None = None

    def refill(self) -> float:
        """Points there are now."""
        now = self.clock()
        if self.at is not None:
            elapsed = max((now - self.at).total_seconds(), 0.0)
            self.available = min(BUCKET, self.available + elapsed * RESTORE_RATE)
        self.at = now
        return self.available

    def status(self) -> dict[str, float]:
        """``throttleStatus``."""
        return {
            "maximumAvailable": BUCKET,
            "currentlyAvailable": int(self.refill()),
            "restoreRate": RESTORE_RATE,
        }


def cost_of(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> int:
    """The points that a valid document asks for.

    Args:
        schema: it is valid by.
        document: one operation and its fragments.
        variables: values of ``first``.
    """
    fragments = {
        one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
    }
    whole = 0
    for one in document.definitions:
        if isinstance(one, OperationDefinitionNode):
            root = schema.get_root_type(one.operation)
            assert root is not None, "the schema has both roots"
            whole += _selection(schema, root, one.selection_set, variables, fragments)
            whole += _MUTATION if one.operation.value == "mutation" else 0
    return whole


def _selection(
    schema: GraphQLSchema,
    parent: GraphQLCompositeType,
    selected: SelectionSetNode | None,
    variables: Mapping[str, Any],
    fragments: Mapping[str, FragmentDefinitionNode],
) -> int:
    whole = 0
    for node in selected.selections if selected is not None else ():
        if isinstance(node, FieldNode):
            whole += _field(schema, parent, node, variables, fragments)
            continue
        inner: GraphQLCompositeType = parent
        if isinstance(node, FragmentSpreadNode):
            fragment = fragments[node.name.value]
            inner = _composite(schema, fragment.type_condition.name.value)
            whole += _selection(schema, inner, fragment.selection_set, variables, fragments)
        elif isinstance(node, InlineFragmentNode):
            if node.type_condition is not None:
                inner = _composite(schema, node.type_condition.name.value)
            whole += _selection(schema, inner, node.selection_set, variables, fragments)
    return whole


def _composite(schema: GraphQLSchema, name: str) -> GraphQLCompositeType:
    found = schema.type_map[name]
    assert is_composite_type(found), "fragments are on composite types"
    return found


def _field(
    schema: GraphQLSchema,
    parent: GraphQLCompositeType,
    node: FieldNode,
    variables: Mapping[str, Any],
    fragments: Mapping[str, FragmentDefinitionNode],
) -> int:
    fields = getattr(parent, "fields", {})
    if node.name.value not in fields:
        return 0
    kind = get_named_type(fields[node.name.value].type)
    if not is_composite_type(kind):
        return 0
    inner = _selection(schema, kind, node.selection_set, variables, fragments)
    if kind.name.endswith("Connection"):
        return max(_first(node, variables) * inner, 1)
    return inner if node.name.value == "pageInfo" else 1 + inner


def _first(node: FieldNode, variables: Mapping[str, Any]) -> int:
    for argument in node.arguments or ():
        if argument.name.value == "first":
            if isinstance(argument.value, IntValueNode):
                return int(argument.value.value)
            if isinstance(argument.value, VariableNode):
                return int(variables.get(argument.value.name.value) or 1)
    return 1

"""The schema that the sandbox answers by: Shopify's published one, or the committed part of it."""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib import resources
from pathlib import Path

from graphql import GraphQLSchema, build_client_schema, build_schema


@cache
def pruned_schema() -> GraphQLSchema:
    """The committed part (``schema.graphql``); built once, because nothing changes it."""
    text = resources.files("sandbox.shopify").joinpath("schema.graphql").read_text(encoding="utf-8")
    return build_schema(text, assume_valid=True)


def published_schema(path: Path) -> GraphQLSchema:
    """The whole schema of a gzipped introspection answer.

    Args:
        path: e.g. ``admin_2026-10.json.gz``.
    """
    with gzip.open(path) as file:
        answer = json.load(file)
    return build_client_schema(answer["data"], assume_valid=True)

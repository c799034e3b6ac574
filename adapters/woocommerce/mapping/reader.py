"""Typed access to the shop's JSON; the reader is the same for every platform that speaks JSON."""

from adapters.json_node import Node

__all__ = ["Node"]

"""What a test run compiles once, where each application would compile it anew: templates and addresses.

The program makes one application per process and a test run makes a thousand. What is compiled depends on the
source alone; everything else of an application (its templates' environment, its map of addresses) is its own.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class _Kept(BytecodeCache):
    """Compiled templates in memory, known by name, file and a checksum of the source."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill in what is known."""
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._code[bucket.key, bucket.checksum] = bucket.code


def share() -> None:
    """Let all applications made from now on share what they compile."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _Kept()}
    rules: Any = Rule
    compiled = rules._compile_builder
    known: dict[tuple[object, ...], Any] = {}

    def once(rule: Rule, append_unknown: bool = True) -> Any:
        # the function that makes an address is of the rule's text alone, unless it has defaults
        if rule.defaults:
            return compiled(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in known:
            known[key] = compiled(rule, append_unknown)
        return known[key]

    rules._compile_builder = once

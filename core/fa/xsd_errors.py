"""libxml2's schema errors as findings: a stable code, a path of names, sentences in both languages.

libxml2 reports ``SCHEMAV_...`` error types with an English message and a path such as ``/*/*[4]/*[17]``.
:mod:`core.fa.xsd_rules` knows the classes that documents meet in practice; any other error keeps libxml2's
own text under a code made from its type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from core.fa.xsd_rules import ANYWHERE, RULES, VALUE_HINTS, Rule
from core.findings import Finding, Severity, Text

MOST: Final = 100
"""More findings than this are counted, not listed."""

_VALUE_LENGTH: Final = 60
"""Longest piece of a document's own text that a sentence repeats."""

_LISTED_ELEMENTS: Final = 10
"""libxml2 lists at most this many expected elements and cuts the rest off without a word."""


@dataclass(frozen=True, slots=True)
class XsdError:
    """One entry of libxml2's error log.

    Attributes:
        type_name: such as ``SCHEMAV_CVC_PATTERN_VALID``.
        message: English text that names the element.
        path: place as libxml2 writes it.
        line: line in the file, from 1.
    """

    type_name: str
    message: str
    path: str
    line: int | None


_SUBJECT: Final = re.compile(r"Element '(?P<name>[^']*)'(?:, attribute '(?P<attribute>[^']*)')?: ")
_NAMESPACE: Final = re.compile(r"\{[^{}\s]*\}")
_STEP: Final = re.compile(r"(?:[^:\[]+:)?(?P<name>[^\[]+)(?:\[(?P<index>\d+)\])?")


def explain(errors: list[XsdError], root: etree._Element, source: str) -> list[Finding]:
    """Turn libxml2's errors into findings.

    Args:
        errors: the error log of a refused document.
        root: root of that document, for the names in paths.
        source: the schema, for the findings' ``source``.

    Returns:
        At least one finding, in the order of the log, at most one about the value of each element; after
        :data:`MOST` a last one says how many more there are.
    """
    findings: list[Finding] = []
    valued: set[str] = set()
    surplus = 0
    for error in errors:
        finding, of_value = _finding(error, source)
        if of_value and error.path in valued:
            continue
        if of_value:
            valued.add(error.path)
        if len(findings) >= MOST:
            surplus += 1
            continue
        findings.append(_placed(finding, place(root, error.path)))
    if surplus:
        findings.append(_more(surplus, source))
    return findings


def place(root: etree._Element, path: str) -> str:
    """A readable path, such as ``Faktura/Fa/FaWiersz[2]/P_11A``, for one of libxml2's.

    Args:
        root: root of the document.
        path: libxml2's path: ``*[n]`` is the n-th child element, ``prefix:name[n]`` the n-th of that name.

    Returns:
        Names from the root down, with an index where an element has namesakes beside it; empty for no path.
    """
    steps = [step for step in path.split("/") if step]
    if not steps:
        return ""
    names = [_local(root)]
    element = root
    for step in steps[1:]:
        child = _child(element, step)
        if child is None:
            break
        twins = [other for other in element.iterchildren(child.tag) if other.prefix == child.prefix]
        names.append(_local(child) if len(twins) == 1 else f"{_local(child)}[{twins.index(child) + 1}]")
        element = child
    return "/".join(names)


def _child(element: etree._Element, step: str) -> etree._Element | None:
    met = _STEP.fullmatch(step)
    if met is None:
        return None
    prefix = step.partition(":")[0] if ":" in step else None
    candidates = [
        child
        for child in element.iterchildren("*")
        if met["name"] == "*" or (_local(child) == met["name"] and child.prefix == prefix)
    ]
    index = int(met["index"] or 1) - 1
    return candidates[index] if index < len(candidates) else None


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _finding(error: XsdError, source: str) -> tuple[Finding, bool]:
    """The finding without its path, and whether it is about an element's value."""
    subject = _SUBJECT.match(error.message)
    text = error.message[subject.end() :] if subject else error.message
    parts = {
        "name": _bare(subject["name"]) if subject else "",
        "attribute": _bare(subject["attribute"] or "") if subject else "",
    }
    for rule in (*RULES.get(error.type_name, ()), *ANYWHERE):
        met = rule.form.search(text)
        if met:
            parts |= {key: value or "" for key, value in met.groupdict().items()}
            return _told(rule, parts, error.line, source), rule.of_value
    bare = _short(_bare(error.message), 300)
    code = "xsd-" + error.type_name.removeprefix("SCHEMAV_").lower().replace("_", "-")
    told = Text(f"Dokument jest niezgodny ze schematem: {bare}", f"The document breaks its schema: {bare}")
    return Finding(code, Severity.ERROR, "", told, source=source, line=error.line), False


def _told(rule: Rule, parts: dict[str, str], line: int | None, source: str) -> Finding:
    hint = next(
        (text for form, text in VALUE_HINTS if rule.of_value and form.search(parts.get("limit", ""))), None
    )
    expected = parts.get("expected", "")
    names = [_bare(name) for name in expected.split(", ")]
    alike = {
        key: _short(_bare(value) if key == "limit" else value, _VALUE_LENGTH) for key, value in parts.items()
    }
    pl = alike | {"expected": _one_of(names, "albo", "i inne")}
    en = alike | {"expected": _one_of(names, "or", "and others")}
    if hint is None:
        hint = Text(rule.hint.pl.format_map(pl), rule.hint.en.format_map(en))
    message = Text(rule.message.pl.format_map(pl), rule.message.en.format_map(en))
    return Finding(rule.code, Severity.ERROR, "", message, hint, source, line)


def _placed(finding: Finding, path: str) -> Finding:
    return Finding(
        finding.code, finding.severity, path, finding.message, finding.hint, finding.source, finding.line
    )


def _more(count: int, source: str) -> Finding:
    return Finding(
        "xsd-more",
        Severity.INFO,
        "",
        Text(f"Niezgodności ze schematem jest więcej: {count}.", f"There are more schema errors: {count}."),
        source=source,
    )


def _one_of(names: list[str], or_: str, others: str) -> str:
    """``A``, ``A or B``, ``A, B or C``; a list that libxml2 may have cut ends in 'and others'."""
    if len(names) >= _LISTED_ELEMENTS:
        return f"{', '.join(names)} {others}"
    return f" {or_} ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _bare(text: str) -> str:
    return _NAMESPACE.sub("", text)


def _short(text: str, length: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1] + "…"

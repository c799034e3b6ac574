"""Parsing of untrusted XML and the check against the FA schemas.

The schema of a version is compiled once per process. On the way of a valid document the check is one call
of libxml2; only a refused document is looked at again to put the refusal into words.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NoReturn, cast
from urllib.parse import unquote, urlsplit

from lxml import etree

from core.fa.registry import SCHEMA_FOLDER, FaSchema
from core.findings import Finding, Severity, Text

_PUBLISHER: Final = "crd.gov.pl"
"""Host of the addresses by which the official schemas import each other; never contacted."""

_COMPILING: Final = threading.Lock()

_PROLOG_WITH_DOCTYPE: Final = re.compile(rb"(?>\s+|\xef\xbb\xbf|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE", re.DOTALL)


class SchemaUnavailable(Exception):
    """A schema file is missing, broken, or refers to something outside its folder; the message says which."""


class MalformedXml(ValueError):
    """Bytes that are no well-formed XML, or XML that is refused unread (DOCTYPE).

    Attributes:
        message: what is wrong, in English, without the line.
        line: line of the file, from 1; None when unknown.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.message = message
        self.line = line

    def as_finding(self) -> Finding:
        """The same as a finding, for reports that list all faults of a file."""
        return Finding(
            code="xml-malformed",
            severity=Severity.ERROR,
            path="",
            message=Text(
                f"Plik nie jest poprawnym dokumentem XML: {self.message}.",
                f"The file is not a well-formed XML document: {self.message}.",
            ),
            hint=Text(
                "Utwórz plik na nowo; nie poprawiaj go w edytorze tekstu.",
                "Make the file again; do not mend it in a text editor.",
            ),
            source="XML 1.0",
            line=self.line,
        )


class _OneFolder(etree.Resolver):
    """Gives schema files of one folder by their file name, and raises on any other address.

    The official files import each other by addresses of the publisher; the last part of such an address is
    the name of the file in the operator's folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.refusal: SchemaUnavailable | None = None
        """The first refusal; libxml2 tells it in other words, or goes on without the file."""

    def resolve(self, system_url: str, public_id: str, context: object = None) -> object:  # noqa: ARG002  lxml's
        """Answer libxml2's question for a file; called by lxml."""
        parts = urlsplit(system_url)
        file = self._folder / unquote(parts.path.rpartition("/")[2])
        if parts.netloc not in {"", _PUBLISHER}:
            self._refuse(f"refers to {system_url}, which is not fetched")
        if not file.is_file():
            self._refuse(f"needs {file.name}, which is not there")
        return self.resolve_string(file.read_bytes(), context, base_url=str(file))

    def _refuse(self, why: str) -> NoReturn:
        self.refusal = self.refusal or SchemaUnavailable(f"a schema in {self._folder} {why}")
        raise self.refusal


def _load(folder: Path, file_name: str) -> etree.XMLSchema:
    parser = safe_parser()
    resolver = _OneFolder(folder)
    parser.resolvers.add(resolver)
    file = folder / file_name
    try:
        schema = etree.XMLSchema(etree.parse(str(file), parser))
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        refusal = resolver.refusal or SchemaUnavailable(f"{file} is not a usable schema: {error}")
        raise refusal from error
    if resolver.refusal:
        raise resolver.refusal
    return schema


_load_once: Final = functools.cache(_load)


@functools.cache
def _explainer(schema: FaSchema, directory: Path | None) -> tuple[etree.XMLSchema, threading.Lock]:
    """A second compiled schema for refused documents, with the lock that guards its error log.

    lxml keeps one error log per schema object, so a validation in another thread would empty it while it
    is read. Valid documents never come here and need no lock.
    """
    return _load(directory or SCHEMA_FOLDER, _file_name(schema, directory)), threading.Lock()


def _file_name(schema: FaSchema, directory: Path | None) -> str:
    return schema.file_name if directory is None else schema.official_file_name


def compiled(schema: FaSchema, directory: Path | None = None) -> etree.XMLSchema:
    """The compiled schema of a version; compiled at the first call in a process, safe in threads.

    Args:
        schema: the structure.
        directory: an operator's folder (``KSEF_SCHEMA_DIR``) with the Ministry's files, used instead of the
            project's own. Their imports by address are answered from the same folder, never from a network.

    Returns:
        The schema; calling it with a tree tells whether the tree is valid. Its error log is shared by all
        threads: use :func:`check` to learn why a tree is refused.

    Raises:
        SchemaUnavailable: a file is missing, broken or refers to something outside the folder.
    """
    with _COMPILING:
        return _load_once(directory or SCHEMA_FOLDER, _file_name(schema, directory))


def safe_parser() -> etree.XMLParser:
    """A parser for XML from outside: no entities, no DTD, no network, libxml2's limits of depth and size.

    Making one costs about a microsecond; each document gets its own, so that threads share nothing.
    """
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        collect_ids=False,
    )


def parse(data: bytes) -> etree._ElementTree:
    """Parse untrusted bytes.

    Args:
        data: a whole XML document in the encoding that it declares.

    Returns:
        The tree, with line numbers.

    Raises:
        MalformedXml: not well-formed, nested deeper than libxml2 allows, or with a DOCTYPE: an FA document
            has none, and it is the door of entity attacks.
    """
    if b"!" in data and b"<!DOCTYPE" in data and (met := _PROLOG_WITH_DOCTYPE.match(data)):
        raise _doctype(data.count(b"\n", 0, met.end()) + 1)
    try:
        tree = etree.ElementTree(etree.fromstring(data, safe_parser()))
    except etree.XMLSyntaxError as error:
        text = (error.msg or "the document is empty").strip()
        raise MalformedXml(re.sub(r", line \d+, column \d+$", "", text), error.lineno or None) from None
    if (
        cast("etree.DTD | None", tree.docinfo.internalDTD) is not None
    ):  # in an encoding where the bytes above look different
        raise _doctype(None)
    return tree


def _doctype(line: int | None) -> MalformedXml:
    return MalformedXml("a document type declaration (DOCTYPE) is not allowed", line)


def check(tree: etree._ElementTree, schema: FaSchema, directory: Path | None = None) -> list[Finding]:
    """Check a parsed document against a schema.

    Args:
        tree: from :func:`parse`.
        schema: the structure that the document must follow.
        directory: as for :func:`compiled`.

    Returns:
        No finding for a valid document; otherwise errors in the order of the document, at most one per
        value, with codes ``xsd-...``, paths of names and indexes, and sentences in both languages.

    Raises:
        SchemaUnavailable: as for :func:`compiled`.
    """
    if compiled(schema, directory)(tree):
        return []
    from core.fa.xsd_errors import XsdError, explain  # noqa: PLC0415  needed only for a refusal

    with _COMPILING:
        validator, guard = _explainer(schema, directory)
    with guard:
        validator(tree)
        errors = [
            XsdError(entry.type_name, entry.message, entry.path or "", entry.line or None)
            for entry in cast("Iterable[XsdError]", validator.error_log)
        ]
    return explain(errors, tree.getroot(), f"XSD {schema.title}")

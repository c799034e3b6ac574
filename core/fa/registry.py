"""Which structures of an invoice there are, and what identifies each.

Source: the FA structures published by the Ministry of Finance (target namespace, ``kodSystemowy``,
``wersjaSchemy``, ``WariantFormularza``) and ``formCode`` of the KSeF API (``POST /sessions/online``).
Everything here is plain data; the schemas are compiled by :mod:`core.fa.schema`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

SCHEMA_FOLDER: Final = Path(__file__).parent / "schemas"
"""Folder of the project's own XSD files."""


class UnknownSchema(LookupError):
    """A structure that is neither FA(2) nor FA(3); the message shows what was asked and what is known."""


class SchemaVersion(StrEnum):
    """The structures of an invoice, by the short names used in settings and on the command line."""

    FA2 = "FA2"
    """In force from 2023-09-01 to 2026-01-31; still accepted on the TEST environment, still read."""
    FA3 = "FA3"
    """The only structure of an invoice that KSeF accepts since 2026-02-01."""


@dataclass(frozen=True, slots=True)
class FaSchema:
    """One structure and what identifies it.

    Attributes:
        version: short name.
        namespace: namespace of every element of a document.
        system_code: ``kodSystemowy`` in the document and ``formCode.systemCode`` in the API.
        schema_version: ``wersjaSchemy`` in the document and ``formCode.schemaVersion`` in the API.
        variant: text of ``WariantFormularza``.
        file_name: the project's own XSD in :data:`SCHEMA_FOLDER`.
        official_file_name: the Ministry's XSD, as it is named when downloaded.
        form_code: ``KodFormularza`` in the document and ``formCode.value`` in the API.
    """

    version: SchemaVersion
    namespace: str
    system_code: str
    schema_version: str
    variant: str
    file_name: str
    official_file_name: str
    form_code: str = "FA"

    @property
    def title(self) -> str:
        """The structure's full name for people and as the source of findings, such as ``FA (3) 1-0E``."""
        return f"{self.system_code} {self.schema_version}"


FA2: Final = FaSchema(
    version=SchemaVersion.FA2,
    namespace="http://crd.gov.pl/wzor/2023/06/29/12648/",
    system_code="FA (2)",
    schema_version="1-0E",
    variant="2",
    file_name="fa2.xsd",
    official_file_name="schemat_FA(2)_v1-0E.xsd",
)
FA3: Final = FaSchema(
    version=SchemaVersion.FA3,
    namespace="http://crd.gov.pl/wzor/2025/06/25/13775/",
    system_code="FA (3)",
    schema_version="1-0E",
    variant="3",
    file_name="fa3.xsd",
    official_file_name="schemat_FA(3)_v1-0E.xsd",
)
SCHEMAS: Final[tuple[FaSchema, ...]] = (FA2, FA3)
"""Every known structure, oldest first."""

_BY_VERSION: Final = {schema.version: schema for schema in SCHEMAS}
_BY_NAMESPACE: Final = {schema.namespace: schema for schema in SCHEMAS}
_BY_FORM_CODE: Final = {(schema.system_code, schema.schema_version): schema for schema in SCHEMAS}


def schema_for(version: SchemaVersion | str) -> FaSchema:
    """The structure of a version.

    Args:
        version: a :class:`SchemaVersion` or its text, ``FA2`` or ``FA3``.

    Raises:
        UnknownSchema: there is no such version.
    """
    try:
        return _BY_VERSION[SchemaVersion(version)]
    except ValueError:
        known = ", ".join(_BY_VERSION)
        raise UnknownSchema(f"unknown schema version {str(version)!r}; known: {known}") from None


def by_namespace(namespace: str | None) -> FaSchema:
    """The structure whose documents have this namespace.

    Args:
        namespace: namespace of a document's root element; None when it has none.

    Raises:
        UnknownSchema: no structure has it.
    """
    found = _BY_NAMESPACE.get(namespace or "")
    if found is None:
        known = ", ".join(f"{schema.namespace} ({schema.system_code})" for schema in SCHEMAS)
        asked = repr(namespace) if namespace else "(none)"
        raise UnknownSchema(f"unknown namespace {asked}; known: {known}")
    return found


def by_form_code(system_code: str, schema_version: str) -> FaSchema:
    """The structure that a session or a document declares.

    Args:
        system_code: ``formCode.systemCode`` or ``kodSystemowy``, such as ``FA (3)``.
        schema_version: ``formCode.schemaVersion`` or ``wersjaSchemy``, such as ``1-0E``.

    Raises:
        UnknownSchema: no structure has this pair.
    """
    found = _BY_FORM_CODE.get((system_code, schema_version))
    if found is None:
        known = ", ".join(f"{schema.system_code!r} {schema.schema_version!r}" for schema in SCHEMAS)
        raise UnknownSchema(f"unknown form code {system_code!r} {schema_version!r}; known: {known}")
    return found

"""Everything that is checked before a document may go out, in one call.

Three layers, each only when the one before found nothing that makes it pointless: bytes, schema,
semantic rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from core.fa import registry, schema
from core.fa.bytes_check import check_bytes
from core.fa.number_rules import check_ksef_numbers
from core.fa.read import UnreadableDocument, read
from core.findings import Finding, Severity, Text, has_errors
from core.invoices import rules
from core.invoices.model import Invoice


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of checking one document.

    Attributes:
        findings: what was found, in the order of the layers.
        schema: the version the document declares, ``None`` when it declares none that is known.
        invoice: the document as a model, when it could be read.
    """

    findings: tuple[Finding, ...]
    schema: registry.FaSchema | None = None
    invoice: Invoice | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing forbids sending."""
        return not has_errors(self.findings)


def validate(data: bytes, today: date, schema_dir: Path | None = None) -> Report:
    """Check a document from its bytes alone.

    Args:
        data: the file's bytes.
        today: the current Warsaw day.
        schema_dir: folder with the official XSD files to use instead of the project's own.

    Raises:
        MalformedXml: the bytes are no XML document.
        UnknownSchema: the XML is neither FA(2) nor FA(3).
    """
    findings = list(check_bytes(data))
    tree = schema.parse(data)
    declared = registry.by_namespace(tree.getroot().nsmap.get(tree.getroot().prefix))
    findings += schema.check(tree, declared, schema_dir)
    if has_errors(findings):
        return Report(tuple(findings), declared)
    try:
        result = read(tree)
    except UnreadableDocument as error:
        return Report((*findings, _not_checked(str(error))), declared)
    context = rules.Context(today, older_schema=declared is registry.FA2)
    findings += _check_meaning(result.invoice, context)
    return Report(tuple(findings), declared, result.invoice)


def check_built(
    invoice: Invoice, data: bytes, declared: registry.FaSchema, today: date, schema_dir: Path | None = None
) -> list[Finding]:
    """Check a document that was just written from a model: the same layers without reading it back.

    Args:
        invoice: the model that ``data`` was written from.
        data: the written bytes.
        declared: the version it was written in.
        today: the current Warsaw day.
        schema_dir: as in :func:`validate`.
    """
    findings = list(check_bytes(data))
    if not findings:
        findings += schema.check(schema.parse(data), declared, schema_dir)
    return findings + _check_meaning(invoice, rules.Context(today))


def _check_meaning(invoice: Invoice, context: rules.Context) -> list[Finding]:
    """The semantic rules, those over KSeF numbers last."""
    return rules.check(invoice, context) + check_ksef_numbers(invoice)


def _not_checked(what: str) -> Finding:
    return Finding(
        "not-checked",
        Severity.INFO,
        "",
        Text(
            f"Dokumentu nie udało się odczytać, więc reguł nie sprawdzono: {what}.",
            f"The document could not be read, so the rules were not checked: {what}.",
        ),
    )

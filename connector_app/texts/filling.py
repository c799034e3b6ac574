"""Filling a template with what is known of a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connector_app.texts.templates import fields_of


@dataclass(frozen=True, slots=True)
class Facts:
    """Values of placeholders; empty when there is none.

    Attributes:
        invoice_number: P_2. issue_date: P_1.
        order_number: the shop's number of the order. total: P_15 with its currency. seller_name: Podmiot1.
        ksef_number: empty before KSeF gave one.
        verification_link: of QR code I. certificate_link: of QR code II.
        buyer_page: the buyer's page. pdf_link: address of the PDF.
        transfer_title: a sentence that asks to name the KSeF number in a transfer.
        file_mark: tells a refused file from others. refusal, refusal_code: what KSeF said.
    """

    invoice_number: str
    issue_date: date
    order_number: str = ""
    total: str = ""
    seller_name: str = ""
    ksef_number: str = ""
    verification_link: str = ""
    certificate_link: str = ""
    buyer_page: str = ""
    pdf_link: str = ""
    transfer_title: str = ""
    file_mark: str = ""
    refusal: str = ""
    refusal_code: str = ""

    def values(self) -> Mapping[str, str]:
        """Placeholder to value."""
        texts = {name: getattr(self, name) for name in self.__slots__ if name != "issue_date"}
        return texts | {"issue_date": f"{self.issue_date:%d.%m.%Y}"}


def fill(template: str, facts: Facts) -> str:
    """A template with its values; lines that name a missing value are left out, and so are blank lines at the
    ends.

    Args:
        template: checked when it was set.
        facts: the document's values.
    """  # noqa: D205  one sentence
    values = facts.values()
    lines = []
    for line in template.splitlines():
        names = fields_of(line)
        if all(values[name] for name in names):
            lines.append(line.format_map(values))
    return "\n".join(lines).strip("\n")

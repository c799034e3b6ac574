"""What registers and exports need of a document, read from its XML without the rest of it.

A month of a large shop has tens of thousands of documents, and its books need a fifth of what the full model
(:mod:`core.fa.read`) holds. Both readers agree on every field: the tests compare them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from lxml import etree

from core.fa import registry, schema
from core.fa.binding import UnreadableDocument
from core.invoices.model import (
    CorrectedInvoice,
    CorrectionType,
    InvoiceKind,
    RateRow,
    RateSummary,
    TaxId,
    TaxIdKind,
)

_TAXES: Final = {
    RateRow.BASIC: "P_14_1",
    RateRow.REDUCED: "P_14_2",
    RateRow.LOWEST: "P_14_3",
    RateRow.TAXI: "P_14_4",
    RateRow.OSS: "P_14_5",
}
_ROWS: Final = {row.value: row for row in RateRow}


@dataclass(frozen=True, slots=True)
class BriefBuyer:
    """Podmiot2: who bought.

    Attributes:
        tax_id: how the buyer is identified. name: Nazwa, may be empty.
        country: KodKraju of the address; address: its lines, joined; both empty when not stated.
    """

    tax_id: TaxId
    name: str = ""
    country: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Brief:
    """A document as the books see it; amounts in its currency, of corrections as differences.

    Attributes:
        kind: RodzajFaktury. number: P_2. issued_on: P_1. currency: KodWaluty. total: P_15.
        sold_on: P_6, else the last day of OkresFa; ``None`` when neither is stated.
        seller_nip, seller_name: Podmiot1. buyer: Podmiot2.
        rates: rows of the VAT table, in the order of the document.
        exchange_rates: KursWaluty of the lines and KursWalutyZ, PLN for one unit, each once.
        line_rates: P_12 of the lines, each once. oss_rates: P_12_XII, each once.
        gtu: GTU of the lines. procedures: Procedura of the lines.
        originals: what it corrects. reason: PrzyczynaKorekty. correction_type: TypKorekty.
        from_receipt: FP. related_parties: TP. margin: whether a margin scheme applies.
        orders: NrZamowienia. payment_form: FormaPlatnosci as it stands; empty when not stated.
        due_on: first Termin. paid_on: DataZaplaty, when all is paid.
    """

    kind: InvoiceKind
    number: str
    issued_on: date
    currency: str
    total: Decimal
    seller_nip: str
    seller_name: str
    buyer: BriefBuyer
    rates: tuple[RateSummary, ...] = ()
    sold_on: date | None = None
    exchange_rates: tuple[Decimal, ...] = ()
    line_rates: tuple[str, ...] = ()
    oss_rates: tuple[Decimal, ...] = ()
    gtu: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    originals: tuple[CorrectedInvoice, ...] = ()
    reason: str = ""
    correction_type: CorrectionType | None = None
    from_receipt: bool = False
    related_parties: bool = False
    margin: bool = False
    orders: tuple[str, ...] = ()
    payment_form: str = ""
    due_on: date | None = None
    paid_on: date | None = None


@dataclass(slots=True)
class _Seen:
    """What the elements of Fa say, while they are gone through."""

    texts: dict[str, str] = field(default_factory=dict)
    lines: dict[str, dict[str, None]] = field(default_factory=dict)
    originals: list[CorrectedInvoice] = field(default_factory=list)

    def add_line(self, name: str, text: str) -> None:
        self.lines.setdefault(name, {})[text] = None

    def of_lines(self, name: str) -> tuple[str, ...]:
        return tuple(self.lines.get(name, ()))


def read(data: bytes) -> Brief:
    """Read a document.

    Args:
        data: a whole FA(2) or FA(3) document that has passed the schema check.

    Raises:
        MalformedXml: it is no XML.
        UnknownSchema: it is neither FA(2) nor FA(3).
        UnreadableDocument: something that every invoice has is missing or broken.
    """
    root = schema.parse(data).getroot()
    registry.by_namespace(etree.QName(root).namespace)
    parts = {_name(one): one for one in root}
    try:
        return _read(parts)
    except (KeyError, ValueError, InvalidOperation) as error:
        raise UnreadableDocument(f"{type(error).__name__}: {error}") from None


def _read(parts: Mapping[str, etree._Element]) -> Brief:
    seen = _seen(parts["Fa"])
    texts = seen.texts
    seller = _texts(_child(parts["Podmiot1"], "DaneIdentyfikacyjne"))
    sold = texts.get("P_6") or texts.get("P_6_Do")
    correction_type = texts.get("TypKorekty")
    return Brief(
        kind=InvoiceKind(texts["RodzajFaktury"]),
        number=texts["P_2"],
        issued_on=date.fromisoformat(texts["P_1"]),
        currency=texts["KodWaluty"],
        total=Decimal(texts["P_15"]),
        seller_nip=seller["NIP"],
        seller_name=seller["Nazwa"],
        buyer=_buyer(parts["Podmiot2"]),
        rates=tuple(_rates(texts)),
        sold_on=date.fromisoformat(sold) if sold else None,
        exchange_rates=_numbers(seen, "KursWaluty"),
        line_rates=seen.of_lines("P_12"),
        oss_rates=_numbers(seen, "P_12_XII"),
        gtu=seen.of_lines("GTU"),
        procedures=seen.of_lines("Procedura"),
        originals=tuple(seen.originals),
        reason=texts.get("PrzyczynaKorekty", ""),
        correction_type=CorrectionType(str(int(correction_type))) if correction_type else None,
        from_receipt=texts.get("FP") == "1",
        related_parties=texts.get("TP") == "1",
        margin=texts.get("P_PMarzy") == "1",
        orders=seen.of_lines("NrZamowienia"),
        payment_form=texts.get("FormaPlatnosci", ""),
        due_on=_day(texts.get("Termin")),
        paid_on=_day(texts.get("DataZaplaty")),
    )


_INNER: Final = frozenset({"Adnotacje", "OkresFa", "PMarzy"})
"""Parts of Fa whose texts are read as if they stood in it."""
_OF_LINES: Final = frozenset({"KursWaluty", "P_12", "P_12_XII", "GTU", "Procedura"})


def _seen(fa: etree._Element) -> _Seen:
    seen = _Seen()
    for one in fa:
        name = _name(one)
        if name == "FaWiersz":
            _see_line(one, seen)
        elif name in _INNER:
            seen.texts |= {_name(inner): _text(inner) for inner in one.iter("{*}*") if not len(inner)}
        elif name in _PARTS:
            _PARTS[name](one, seen)
        else:
            seen.texts[name] = _text(one)
    return seen


def _see_line(line: etree._Element, seen: _Seen) -> None:
    for inner in line:
        name = _name(inner)
        if name in _OF_LINES:
            seen.add_line(name, _text(inner))


def _see_original(original: etree._Element, seen: _Seen) -> None:
    texts = _texts(original)
    issued = date.fromisoformat(texts["DataWystFaKorygowanej"])
    number = texts.get("NrKSeFFaKorygowanej", "")
    seen.originals.append(CorrectedInvoice(issued, texts["NrFaKorygowanej"], number))


def _see_terms(terms: etree._Element, seen: _Seen) -> None:
    for order in terms.iterfind("{*}Zamowienia/{*}NrZamowienia"):
        seen.add_line("NrZamowienia", _text(order))


def _see_payment(payment: etree._Element, seen: _Seen) -> None:
    for name in ("FormaPlatnosci", "DataZaplaty", "TerminPlatnosci/{*}Termin"):
        found = payment.find(f"{{*}}{name}")
        if found is not None:
            seen.texts[_name(found)] = _text(found)


def _see_rate(rate: etree._Element, seen: _Seen) -> None:
    seen.add_line("KursWaluty", _text(rate))


_PARTS: Final[Mapping[str, Callable[[etree._Element, _Seen], None]]] = {
    "DaneFaKorygowanej": _see_original,
    "WarunkiTransakcji": _see_terms,
    "Platnosc": _see_payment,
    "KursWalutyZ": _see_rate,
}


def _rates(texts: Mapping[str, str]) -> Iterable[RateSummary]:
    for name, text in texts.items():
        row = _ROWS.get(name)
        if row is None:
            continue
        tax = _TAXES.get(row, "")
        vat, pln = texts.get(tax), texts.get(f"{tax}W")
        yield RateSummary(row, Decimal(text), Decimal(vat) if vat else None, Decimal(pln) if pln else None)


def _buyer(party: etree._Element) -> BriefBuyer:
    identity = _texts(_child(party, "DaneIdentyfikacyjne"))
    address = party.find("{*}Adres")
    texts = {} if address is None else _texts(address)
    lines = (texts.get("AdresL1"), texts.get("AdresL2"))
    return BriefBuyer(
        _tax_id(identity),
        identity.get("Nazwa", ""),
        texts.get("KodKraju", ""),
        ", ".join(line for line in lines if line),
    )


def _tax_id(identity: Mapping[str, str]) -> TaxId:
    if "NIP" in identity:
        return TaxId.nip(identity["NIP"])
    if "NrVatUE" in identity:
        return TaxId.eu_vat(identity["KodUE"], identity["NrVatUE"])
    if "NrID" in identity:
        return TaxId.other(identity["NrID"], identity.get("KodKraju", ""))
    if "IDWew" in identity:
        return TaxId(TaxIdKind.INTERNAL, identity["IDWew"])
    return TaxId.none()


def _numbers(seen: _Seen, name: str) -> tuple[Decimal, ...]:
    return tuple(dict.fromkeys(Decimal(text) for text in seen.of_lines(name)))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _child(element: etree._Element, name: str) -> etree._Element:
    found = element.find(f"{{*}}{name}")
    if found is None:
        raise KeyError(name)
    return found


def _texts(element: etree._Element) -> dict[str, str]:
    return {_name(one): _text(one) for one in element}


def _name(element: etree._Element) -> str:
    tag = element.tag
    # comments and processing instructions have no name
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _text(element: etree._Element) -> str:
    return " ".join((element.text or "").split())

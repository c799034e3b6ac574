"""Parts of a document that follow a rule of their own: choices, fixed elements, the VAT table."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core.fa.binding import (
    Children,
    Custom,
    Spread,
    UnreadableDocument,
    children_of,
    elements,
    escape,
    one_text,
    text_of,
)
from core.fa.codecs import DAY, PAYMENT_FORM
from core.invoices import model as m

# parties


def seller_identity() -> Spread:
    """DaneIdentyfikacyjne of a seller: NIP and Nazwa."""

    def write(value: Any) -> str:
        inner = f"<NIP>{escape(value.nip)}</NIP><Nazwa>{escape(value.name)}</Nazwa>"
        return f"<DaneIdentyfikacyjne>{inner}</DaneIdentyfikacyjne>"

    def read(children: Children, path: str) -> Mapping[str, Any]:
        inner = children_of(children["DaneIdentyfikacyjne"][0])
        nip, name = one_text(inner, "NIP"), one_text(inner, "Nazwa")
        if not nip or not name:
            raise UnreadableDocument(f"{path}/DaneIdentyfikacyjne lacks NIP or Nazwa")
        return {"nip": nip, "name": name}

    return Spread(("DaneIdentyfikacyjne",), ("nip", "name"), write, read, required=True)


def identity() -> Spread:
    """DaneIdentyfikacyjne of anybody else: one of the ways to identify, and Nazwa."""

    def write(value: Any) -> str:
        name = f"<Nazwa>{escape(value.name)}</Nazwa>" if value.name else ""
        return f"<DaneIdentyfikacyjne>{_tax_id(value.tax_id)}{name}</DaneIdentyfikacyjne>"

    def read(children: Children, path: str) -> Mapping[str, Any]:  # noqa: ARG001
        inner = children_of(children["DaneIdentyfikacyjne"][0])
        return {"tax_id": _read_tax_id(inner), "name": one_text(inner, "Nazwa")}

    return Spread(("DaneIdentyfikacyjne",), ("tax_id", "name"), write, read, required=True)


def _tax_id(tax_id: m.TaxId) -> str:
    match tax_id.kind:
        case m.TaxIdKind.NIP:
            return elements([("NIP", tax_id.value)])
        case m.TaxIdKind.EU_VAT:
            return elements([("KodUE", tax_id.country), ("NrVatUE", tax_id.value)])
        case m.TaxIdKind.OTHER:
            return elements([("KodKraju", tax_id.country), ("NrID", tax_id.value)])
        case m.TaxIdKind.INTERNAL:
            return elements([("IDWew", tax_id.value)])
        case m.TaxIdKind.NONE:
            return "<BrakID>1</BrakID>"


def _read_tax_id(inner: Children) -> m.TaxId:
    if "NIP" in inner:
        return m.TaxId.nip(one_text(inner, "NIP"))
    if "NrVatUE" in inner:
        return m.TaxId.eu_vat(one_text(inner, "KodUE"), one_text(inner, "NrVatUE"))
    if "NrID" in inner:
        return m.TaxId.other(one_text(inner, "NrID"), one_text(inner, "KodKraju"))
    if "IDWew" in inner:
        return m.TaxId(m.TaxIdKind.INTERNAL, one_text(inner, "IDWew"))
    return m.TaxId.none()


def role() -> Spread:
    """Rola, or RolaInna with OpisRoli."""

    def write(value: Any) -> str:
        if value.role is not None:
            return f"<Rola>{value.role.value}</Rola>"
        if value.role_description:
            return elements([("RolaInna", "1"), ("OpisRoli", value.role_description)])
        return ""

    def read(children: Children, path: str) -> Mapping[str, Any]:
        code = one_text(children, "Rola")
        try:
            found = m.PartyRole(str(int(code))) if code else None
        except ValueError:
            raise UnreadableDocument(f"{path}/Rola: {code!r} is unknown") from None
        return {"role": found, "role_description": one_text(children, "OpisRoli")}

    return Spread(("Rola", "RolaInna", "OpisRoli"), ("role", "role_description"), write, read)


# the VAT table

_TAXED: dict[m.RateRow, str] = {
    m.RateRow.BASIC: "P_14_1",
    m.RateRow.REDUCED: "P_14_2",
    m.RateRow.LOWEST: "P_14_3",
    m.RateRow.TAXI: "P_14_4",
    m.RateRow.OSS: "P_14_5",
}
_IN_PLN: dict[m.RateRow, str] = {row: f"{vat}W" for row, vat in _TAXED.items() if row is not m.RateRow.OSS}
_RATE_NAMES = tuple(
    name for row in m.RateRow for name in (row.value, _TAXED.get(row, ""), _IN_PLN.get(row, "")) if name
)


def rates() -> Custom:
    """P_13_x, P_14_x and P_14_xW, row by row."""

    def write(value: tuple[m.RateSummary, ...]) -> str:
        rows = {rate.row: rate for rate in value}
        parts = []
        for row in m.RateRow:
            rate = rows.get(row)
            if rate is None:
                continue
            parts.append(f"<{row.value}>{rate.net:f}</{row.value}>")
            vat = _TAXED.get(row)
            if vat and rate.vat is not None:
                parts.append(f"<{vat}>{rate.vat:f}</{vat}>")
            in_pln = _IN_PLN.get(row)
            if in_pln and rate.vat_pln is not None:
                parts.append(f"<{in_pln}>{rate.vat_pln:f}</{in_pln}>")
        return "".join(parts)

    def read(children: Children, path: str) -> tuple[m.RateSummary, ...]:
        return tuple(
            m.RateSummary(
                row,
                _needed(children, row.value, path),
                _amount(children, _TAXED.get(row, ""), path),
                _amount(children, _IN_PLN.get(row, ""), path),
            )
            for row in m.RateRow
            if row.value in children
        )

    return Custom(_RATE_NAMES, "rates", write, read)


def _needed(children: Children, name: str, path: str) -> Decimal:
    amount = _amount(children, name, path)
    if amount is None:
        raise UnreadableDocument(f"{path}/{name} is empty")
    return amount


def _amount(children: Children, name: str, path: str) -> Decimal | None:
    text = one_text(children, name)
    if not text:
        return None
    try:
        return Decimal(text)
    except ArithmeticError:
        raise UnreadableDocument(f"{path}/{name}: {text[:60]!r} is no number") from None


# annotations


def exemption() -> Spread:
    """Zwolnienie: P_19 with its basis, or P_19N."""
    bases = (("P_19A", "exemption_law"), ("P_19B", "exemption_directive"), ("P_19C", "exemption_other"))

    def write(value: Any) -> str:
        for name, attr in bases:
            text = getattr(value, attr)
            if text:
                return f"<Zwolnienie><P_19>1</P_19><{name}>{escape(text)}</{name}></Zwolnienie>"
        return "<Zwolnienie><P_19N>1</P_19N></Zwolnienie>"

    def read(children: Children, path: str) -> Mapping[str, Any]:  # noqa: ARG001
        inner = children_of(children["Zwolnienie"][0])
        return {attr: one_text(inner, name) for name, attr in bases}

    return Spread(("Zwolnienie",), [attr for _, attr in bases], write, read, required=True)


def new_transport() -> Spread:
    """NoweSrodkiTransportu: P_22N; anything else is kept as it stands."""
    return Spread(
        ("NoweSrodkiTransportu",),
        (),
        lambda _value: "<NoweSrodkiTransportu><P_22N>1</P_22N></NoweSrodkiTransportu>",
        lambda _children, _path: {},
    )


def margin() -> Spread:
    """PMarzy: P_PMarzy with the scheme, or P_PMarzyN."""

    def write(value: Any) -> str:
        if value.margin is None:
            return "<PMarzy><P_PMarzyN>1</P_PMarzyN></PMarzy>"
        name = value.margin.value
        return f"<PMarzy><P_PMarzy>1</P_PMarzy><{name}>1</{name}></PMarzy>"

    def read(children: Children, path: str) -> Mapping[str, Any]:  # noqa: ARG001
        inner = children_of(children["PMarzy"][0])
        return {"margin": next((scheme for scheme in m.MarginScheme if scheme.value in inner), None)}

    return Spread(("PMarzy",), ("margin",), write, read)


# corrections and advances


def corrected_number() -> Spread:
    """NrKSeF with the number, or NrKSeFN."""

    def write(value: Any) -> str:
        if value.ksef_number:
            return elements([("NrKSeF", "1"), ("NrKSeFFaKorygowanej", value.ksef_number)])
        return "<NrKSeFN>1</NrKSeFN>"

    def read(children: Children, path: str) -> Mapping[str, Any]:  # noqa: ARG001
        return {"ksef_number": one_text(children, "NrKSeFFaKorygowanej")}

    return Spread(("NrKSeF", "NrKSeFFaKorygowanej", "NrKSeFN"), ("ksef_number",), write, read)


def advance_number() -> Spread:
    """NrKSeFZN with the number of an advance invoice outside KSeF, or its KSeF number."""

    def write(value: Any) -> str:
        if value.ksef_number:
            return elements([("NrKSeFFaZaliczkowej", value.ksef_number)])
        return elements([("NrKSeFZN", "1"), ("NrFaZaliczkowej", value.number)])

    def read(children: Children, path: str) -> Mapping[str, Any]:  # noqa: ARG001
        return {
            "ksef_number": one_text(children, "NrKSeFFaZaliczkowej"),
            "number": one_text(children, "NrFaZaliczkowej"),
        }

    names = ("NrKSeFZN", "NrFaZaliczkowej", "NrKSeFFaZaliczkowej")
    return Spread(names, ("ksef_number", "number"), write, read)


# payment


def paid() -> Custom:
    """Zaplacono with DataZaplaty."""

    def read(children: Children, path: str) -> Any:
        text = one_text(children, "DataZaplaty")
        try:
            return DAY.decode(text)
        except ValueError:
            raise UnreadableDocument(f"{path}/DataZaplaty: {text!r} is no day") from None

    return Custom(
        ("Zaplacono", "DataZaplaty"),
        "paid_on",
        lambda value: f"<Zaplacono>1</Zaplacono><DataZaplaty>{DAY.encode(value)}</DataZaplaty>",
        read,
    )


def parts_mark(*, tells_all: bool) -> Spread:
    """ZnacznikZaplatyCzesciowej: 1 partly paid, 2 paid in parts; stands only with part payments.

    Args:
        tells_all: whether the version knows 2; FA(2) does not.
    """

    def write(value: Any) -> str:
        if not value.part_payments:
            return ""
        mark = "2" if value.paid_in_parts and tells_all else "1"
        return f"<ZnacznikZaplatyCzesciowej>{mark}</ZnacznikZaplatyCzesciowej>"

    def read(children: Children, path: str) -> Mapping[str, Any]:  # noqa: ARG001
        return {"paid_in_parts": one_text(children, "ZnacznikZaplatyCzesciowej") == "2"}

    class Mark(Spread):
        def write_values(self, values: Mapping[str, Any]) -> str:
            return super().write_values({**values, "part_payments": True})

    return Mark(("ZnacznikZaplatyCzesciowej",), ("paid_in_parts", "part_payments"), write, read)


def payment_form() -> Spread:
    """FormaPlatnosci, or PlatnoscInna with OpisPlatnosci."""

    def write(value: Any) -> str:
        if value.form is not None:
            return f"<FormaPlatnosci>{PAYMENT_FORM.encode(value.form)}</FormaPlatnosci>"
        if value.description:
            return elements([("PlatnoscInna", "1"), ("OpisPlatnosci", value.description)])
        return ""

    def read(children: Children, path: str) -> Mapping[str, Any]:
        text = one_text(children, "FormaPlatnosci")
        try:
            form = PAYMENT_FORM.decode(text) if text else None
        except (ValueError, KeyError):
            raise UnreadableDocument(f"{path}/FormaPlatnosci: {text!r} is unknown") from None
        return {"form": form, "description": one_text(children, "OpisPlatnosci")}

    names = ("FormaPlatnosci", "PlatnoscInna", "OpisPlatnosci")
    return Spread(names, ("form", "description"), write, read)


def structured_due() -> Spread:
    """TerminOpis of FA(3): Ilosc, Jednostka, ZdarzeniePoczatkowe."""

    def write(value: Any) -> str:
        inner = elements(
            [("Ilosc", value.count), ("Jednostka", value.unit), ("ZdarzeniePoczatkowe", value.event)]
        )
        return f"<TerminOpis>{inner}</TerminOpis>" if inner else ""

    def read(children: Children, path: str) -> Mapping[str, Any]:  # noqa: ARG001
        inner = children_of(children["TerminOpis"][0]) if "TerminOpis" in children else {}
        return {
            "count": one_text(inner, "Ilosc"),
            "unit": one_text(inner, "Jednostka"),
            "event": one_text(inner, "ZdarzeniePoczatkowe"),
        }

    return Spread(("TerminOpis",), ("count", "unit", "event"), write, read)


# footer


def footer_texts() -> Custom:
    """Informacje, each with one StopkaFaktury; its text is kept letter for letter."""

    def read(children: Children, path: str) -> tuple[str, ...]:  # noqa: ARG001
        texts = []
        for element in children["Informacje"]:
            inner = children_of(element).get("StopkaFaktury", [])
            texts += [text_of(one) for one in inner]
        return tuple(texts)

    def write(value: tuple[str, ...]) -> str:
        return "".join(
            f"<Informacje><StopkaFaktury>{escape(text)}</StopkaFaktury></Informacje>" for text in value
        )

    return Custom(("Informacje",), "texts", write, read)

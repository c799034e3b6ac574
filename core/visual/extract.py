"""From the XML of a document to the plain data that a template draws.

The XML is the invoice: nothing but its bytes, the KSeF number and the verification link goes in. Each
part takes its elements out of the tree; what no part took is listed under "Pozostałe dane".
"""

from __future__ import annotations

from dataclasses import replace

from core.visual import rows, terms, totals
from core.visual.model import Field, Picture, Section, Table, Verification
from core.visual.nodes import Node
from core.visual.parties import others, party
from core.visual.text import Language, Tongue


def extract(
    root: Node,
    *,
    url: str,
    ksef_number: str | None = None,
    certificate_url: str | None = None,
    language: Language = "pl",
) -> Picture:
    """Everything that a document says, ready to draw.

    Args:
        root: the document's tree (:func:`core.visual.nodes.read`); its values are taken out of it.
        url: verification link of QR code I.
        ksef_number: the document's KSeF number, None while there is none.
        certificate_url: link of QR code II of a document issued offline, None on others.
        language: of labels and number formats.
    """
    tongue = Tongue(language)
    fa = root.first("Fa")
    _technical_markers(root)
    sums = totals.totals(fa, tongue)
    correction = _correction(fa, tongue)
    picture = Picture(
        language=language,
        title=_title(fa, tongue),
        number=fa.take("P_2"),
        number_label=tongue.word("number"),
        ksef=Field(tongue.word("ksef"), ksef_number or tongue.word("no-ksef")),
        has_ksef_number=bool(ksef_number),
        dates=_dates(fa, tongue),
        seller=party(root.first("Podmiot1"), tongue, tongue.word("seller")),
        buyer=party(root.first("Podmiot2"), tongue, tongue.word("buyer")),
        others=others(root, tongue),
        correction=correction,
        lines=_line_tables(fa, tongue),
        vat=totals.vat_table(fa, tongue),
        totals=sums,
        annotations=terms.statements(fa, tongue),
        payment=terms.payment(fa, tongue),
        sections=_sections(fa, tongue),
        footer=terms.footer(root),
        registers=terms.registers(root, tongue),
        attachments=terms.attachments(root, tongue),
        rest=None,
        verification=_verification(url, ksef_number, tongue),
        certificate=_certificate(certificate_url, tongue) if certificate_url else None,
        technical=_technical(root, tongue),
        page=tongue.word("page"),
        attached=tongue.word("attached"),
        replaced="",
    )
    # currency is shown beside every amount; only now it counts as shown
    fa.take("KodWaluty")
    return _with_rest(picture, root, tongue)


def _with_rest(picture: Picture, root: Node, tongue: Tongue) -> Picture:
    left = tuple(Field(path.removeprefix("Faktura/"), value) for path, value in root.leftovers())
    return replace(picture, rest=Section(tongue.word("rest"), left)) if left else picture


def _title(fa: Node, tongue: Tongue) -> str:
    return tongue.show("RodzajFaktury", fa.take("RodzajFaktury"))


def _dates(fa: Node, tongue: Tongue) -> tuple[Field, ...]:
    facts = [*tongue.facts(fa, "P_1", "P_1M", "P_6")]
    for period in fa.all("OkresFa"):
        days = " – ".join((*period.take_all("P_6_Od"), *period.take_all("P_6_Do")))
        facts.append(Field(tongue.label("OkresFa"), days))
    facts.append(Field(tongue.label("KodWaluty"), fa.peek("KodWaluty")))
    facts.extend(tongue.facts(fa, "KursWalutyZ"))
    facts.extend(terms.orders(fa, tongue))
    facts.extend(tongue.facts(fa, "WZ"))
    return tuple(facts)


def _correction(fa: Node, tongue: Tongue) -> Section | None:
    facts = tongue.facts(
        fa, "PrzyczynaKorekty", "TypKorekty", "OkresFaKorygowanej", "NrFaKorygowany", "KursWalutyZK"
    )
    corrected = fa.all("DaneFaKorygowanej")
    for node in corrected:
        node.flag("NrKSeF")
        _outside_ksef(node, "NrKSeFN", "NrKSeFFaKorygowanej", tongue)
    table = rows.listing(
        corrected,
        tongue,
        tongue.word("corrected-invoices"),
        (("NrFaKorygowanej", "left"), ("DataWystFaKorygowanej", "left"), ("NrKSeFFaKorygowanej", "left")),
    )
    before = [
        party(node, tongue, tongue.word(word))
        for name, word in (("Podmiot1K", "seller-before"), ("Podmiot2K", "buyer-before"))
        for node in fa.all(name)
    ]
    if not facts and not table and not before:
        return None
    return Section(tongue.word("correction"), facts, parties=tuple(before), tables=(table,) if table else ())


def _outside_ksef(node: Node, flag: str, number: str, tongue: Tongue) -> None:
    """Put the words for "issued outside KSeF" where the missing KSeF number would be."""
    if node.flag(flag) and not node.peek(number):
        node.children.append(Node(number, tongue.word("outside-ksef")))


def _line_tables(fa: Node, tongue: Tongue) -> tuple[Table, ...]:
    currency = fa.peek("KodWaluty")
    tables: list[Table] = []
    if nodes := fa.all("FaWiersz"):
        tables.append(rows.lines(nodes, tongue, f"{tongue.word('lines')} ({currency})"))
    for order in fa.all("Zamowienie"):
        title = f"{tongue.word('order-lines')} ({currency})"
        table = rows.lines(order.all("ZamowienieWiersz"), tongue, title, order=True)
        tables.append(_with_intro(table, tongue.facts(order, "WartoscZamowienia")))
    return tuple(tables)


def _with_intro(table: Table, intro: tuple[Field, ...]) -> Table:
    return Table(table.title, table.columns, table.rows, table.footer, intro)


def _sections(fa: Node, tongue: Tongue) -> tuple[Section, ...]:
    advances = fa.all("FakturaZaliczkowa")
    for node in advances:
        _outside_ksef(node, "NrKSeFZN", "NrKSeFFaZaliczkowej", tongue)
    tables = [
        rows.listing(
            fa.all("ZaliczkaCzesciowa"),
            tongue,
            tongue.word("partial-advances"),
            (("P_6Z", "left"), ("P_15Z", "right"), ("KursWalutyZW", "right")),
        ),
        rows.listing(
            advances,
            tongue,
            tongue.word("advance-invoices"),
            (("NrFaZaliczkowej", "left"), ("NrKSeFFaZaliczkowej", "left")),
        ),
        *totals.settlement_tables(fa, tongue),
    ]
    found = [Section(table.title, tables=(_untitled(table),)) for table in tables if table]
    found.extend(section for section in (terms.descriptions(fa, tongue), terms.terms(fa, tongue)) if section)
    return tuple(found)


def _untitled(table: Table) -> Table:
    return Table("", table.columns, table.rows, table.footer, table.intro)


def _verification(url: str, ksef_number: str | None, tongue: Tongue) -> Verification:
    return Verification(
        url=url,
        title=tongue.word("verification"),
        caption=tongue.word("scan" if ksef_number else "scan-offline"),
        link_label=tongue.word("link"),
        number=ksef_number or "OFFLINE",
        alternative=tongue.word("qr-alternative") + url,
    )


def _certificate(url: str, tongue: Tongue) -> Verification:
    return Verification(
        url=url,
        title=tongue.word("certificate"),
        caption=tongue.word("scan-certificate"),
        link_label=tongue.word("certificate-link"),
        number="CERTYFIKAT",
        alternative=tongue.word("certificate-alternative") + url,
    )


def _technical_markers(root: Node) -> None:
    """Take what only says which schema this is; the form's name stands among the technical facts."""
    header = root.first("Naglowek")
    form = header.first("KodFormularza")
    form.own()
    for name in ("kodSystemowy", "wersjaSchemy"):
        form.attribute(name)
    header.take("WariantFormularza")


def _technical(root: Node, tongue: Tongue) -> tuple[Field, ...]:
    header = root.first("Naglowek")
    form = Field(tongue.word("form"), root.attribute("form"))
    return (form, *tongue.facts(header, "DataWytworzeniaFa", "SystemInfo"))

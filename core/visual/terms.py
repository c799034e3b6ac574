"""Payment, terms of the transaction, annotations, further descriptions and the attachment."""

from __future__ import annotations

from collections.abc import Sequence

from core.visual.codes import EXEMPTIONS
from core.visual.model import Column, Field, Party, Row, Section, Table
from core.visual.nodes import Node
from core.visual.parties import party, postal
from core.visual.text import Tongue, account, web_address

_MARGINS = ("P_PMarzy_2", "P_PMarzy_3_1", "P_PMarzy_3_2", "P_PMarzy_3_3")
# fmt: off
_VEHICLE = (
    "P_NrWierszaNST", "P_22A", "P_22BMK", "P_22BMD", "P_22BK", "P_22BNR", "P_22BRP", "P_22B", "P_22B1",
    "P_22B2", "P_22B3", "P_22B4", "P_22BT", "P_22C", "P_22C1", "P_22D", "P_22D1",
)
# fmt: on


def statements(fa: Node, tongue: Tongue) -> Section | None:
    """The statements of Adnotacje and the markers beside it, only those that are set."""
    node = fa.first("Adnotacje")
    exempt, vehicles, margin = (node.first(name) for name in ("Zwolnienie", "NoweSrodkiTransportu", "PMarzy"))
    said = list(tongue.statements(node, "P_18A", "P_16", "P_17", "P_18", "P_23"))
    facts = [
        Field(tongue.word("exemption"), f"{value} ({tongue.say(words)})")
        for name, words in EXEMPTIONS.items()
        for value in exempt.take_all(name)
    ]
    # P_19 alone is not valid, but must not vanish; P_19N, P_22N and P_PMarzyN say "none of this"
    if exempt.flag("P_19") and not facts:
        said.append(tongue.word("exemption"))
    exempt.flag("P_19N")
    said.extend(tongue.statements(vehicles, "P_22", "P_42_5"))
    vehicles.flag("P_22N")
    margin.flag("P_PMarzyN")
    margin.flag("P_PMarzy")
    said.extend(tongue.statements(margin, *_MARGINS))
    said.extend(tongue.statements(fa, "FP", "TP", "ZwrotAkcyzy"))
    said.extend(tongue.statements(fa.first("WarunkiTransakcji"), "PodmiotPosredniczacy"))
    for vehicle in vehicles.all("NowySrodekTransportu"):
        details = "; ".join(f"{field.label}: {field.value}" for field in tongue.facts(vehicle, *_VEHICLE))
        facts.append(Field(tongue.word("vehicles"), details))
    if not said and not facts:
        return None
    return Section(tongue.word("annotations"), tuple(facts), tuple(said))


def payment(fa: Node, tongue: Tongue) -> Section | None:
    """Platnosc: state, method, dates, accounts, discounts and links."""
    node = fa.first("Platnosc")
    facts: list[Field] = []
    partly = node.peek("ZnacznikZaplatyCzesciowej")
    full = node.flag("Zaplacono") or partly == "2"
    node.flag("ZnacznikZaplatyCzesciowej")
    if full or partly == "1":
        word = "paid-in-full" if full else "paid-in-part"
        facts.append(Field(tongue.word("payment-state"), tongue.word(word)))
    facts.extend(tongue.facts(node, "DataZaplaty"))
    if method := _method(node, tongue):
        facts.append(Field(tongue.label("FormaPlatnosci"), method))
    for due in node.all("TerminPlatnosci"):
        facts.extend(tongue.facts(due, "Termin"))
        if described := _due_description(due.first("TerminOpis")):
            facts.append(Field(tongue.label("Termin"), described))
    for name in ("RachunekBankowy", "RachunekBankowyFaktora"):
        for bank in node.all(name):
            facts.extend(Field(tongue.label(name), account(number)) for number in bank.take_all("NrRB"))
            facts.extend(tongue.facts(bank, "NazwaBanku", "SWIFT", "OpisRachunku", "RachunekWlasnyBanku"))
    discount = node.first("Skonto")
    facts.extend(tongue.facts(discount, "WarunkiSkonta", "WysokoscSkonta"))
    facts.extend(
        Field(tongue.label("LinkDoPlatnosci"), link, web_address(link))
        for link in node.take_all("LinkDoPlatnosci")
    )
    facts.extend(tongue.facts(node, "IPKSeF"))
    parts = _part_payments(node.all("ZaplataCzesciowa"), tongue)
    if not facts and not parts:
        return None
    return Section(tongue.word("payment"), tuple(facts), tables=(parts,) if parts else ())


def _method(node: Node, tongue: Tongue) -> str:
    known = [tongue.show("FormaPlatnosci", code) for code in node.take_all("FormaPlatnosci")]
    other = node.flag("PlatnoscInna")
    return ", ".join((*known, *node.take_all("OpisPlatnosci"))) or (
        tongue.word("payment-other") if other else ""
    )


def _due_description(node: Node) -> str:
    # FA(2) has a sentence here, FA(3) its three parts
    count = " ".join((*node.take_all("Ilosc"), *node.take_all("Jednostka")))
    parts = (node.own(), count, *node.take_all("ZdarzeniePoczatkowe"))
    return ", ".join(part for part in parts if part)


def _part_payments(nodes: Sequence[Node], tongue: Tongue) -> Table | None:
    if not nodes:
        return None
    names = (
        ("DataZaplatyCzesciowej", "left"),
        ("FormaPlatnosci", "left"),
        ("KwotaZaplatyCzesciowej", "right"),
    )
    rows = tuple(
        Row(
            (
                node.take("DataZaplatyCzesciowej"),
                _method(node, tongue),
                tongue.show("KwotaZaplatyCzesciowej", node.take("KwotaZaplatyCzesciowej")),
            )
        )
        for node in nodes
    )
    columns = tuple(Column(tongue.label(name), align) for name, align in names)
    return Table(tongue.word("part-payments"), columns, rows)


def descriptions(fa: Node, tongue: Tongue) -> Section | None:
    """DodatkowyOpis: key and value, with the line they belong to."""
    facts = []
    for node in fa.all("DodatkowyOpis"):
        line, key, value = node.take("NrWiersza"), node.take("Klucz"), node.take("Wartosc")
        label = f"{key} ({tongue.word('line').lower()} {line})" if line else key
        facts.append(Field(label, value))
    return Section(tongue.word("extra"), tuple(facts)) if facts else None


def orders(fa: Node, tongue: Tongue) -> tuple[Field, ...]:
    """Numbers and dates of orders and contracts (WarunkiTransakcji), for the header."""
    terms = fa.first("WarunkiTransakcji")
    facts = []
    for group, number, day in (
        ("Zamowienia", "NrZamowienia", "DataZamowienia"),
        ("Umowy", "NrUmowy", "DataUmowy"),
    ):
        for node in terms.all(group):
            values = [*node.take_all(number), *(f"{tongue.word('of-day')} {d}" for d in node.take_all(day))]
            if values:
                facts.append(Field(tongue.label(number), " ".join(values)))
    return tuple(facts)


def terms(fa: Node, tongue: Tongue) -> Section | None:
    """WarunkiTransakcji but for orders and contracts: batches, delivery, agreed rate, transport."""
    node = fa.first("WarunkiTransakcji")
    facts = [*tongue.facts(node, "NrPartiiTowaru", "WarunkiDostawy")]
    if rate := node.take("KursUmowny"):
        facts.append(Field(tongue.label("KursUmowny"), f"{tongue.exact(rate)} {node.take('WalutaUmowna')}"))
    carriers: list[Party] = []
    for transport in node.all("Transport"):
        facts.extend(_transport(transport, tongue))
        carriers.extend(
            party(carrier, tongue, tongue.word("carrier"), "AdresPrzewoznika")
            for carrier in transport.all("Przewoznik")
        )
    if not facts and not carriers:
        return None
    return Section(tongue.word("terms"), tuple(facts), parties=tuple(carriers))


def _transport(node: Node, tongue: Tongue) -> list[Field]:
    facts = []
    for code, other, described, word in (
        ("RodzajTransportu", "TransportInny", "OpisInnegoTransportu", "other-transport"),
        ("OpisLadunku", "LadunekInny", "OpisInnegoLadunku", "other-cargo"),
    ):
        known = [tongue.show(code, value) for value in node.take_all(code)]
        flagged = node.flag(other)
        shown = ", ".join((*known, *node.take_all(described))) or (tongue.word(word) if flagged else "")
        if shown:
            facts.append(Field(tongue.label(code), shown))
    facts.extend(
        tongue.facts(
            node,
            "NrZleceniaTransportu",
            "JednostkaOpakowania",
            "DataGodzRozpTransportu",
            "DataGodzZakTransportu",
        )
    )
    facts.extend(
        Field(tongue.label(name), ", ".join(lines))
        for name in ("WysylkaZ", "WysylkaPrzez", "WysylkaDo")
        for place in node.all(name)
        if (lines := postal(place, tongue))
    )
    return facts


def footer(root: Node) -> tuple[str, ...]:
    """The closing texts of the seller (Stopka/Informacje)."""
    return tuple(
        text for node in root.first("Stopka").all("Informacje") for text in node.take_all("StopkaFaktury")
    )


def registers(root: Node, tongue: Tongue) -> tuple[tuple[Field, ...], ...]:
    """Numbers in other registers (Stopka/Rejestry), one entry per entity."""
    found = (
        tongue.facts(node, "PelnaNazwa", "KRS", "REGON", "BDO")
        for node in root.first("Stopka").all("Rejestry")
    )
    return tuple(facts for facts in found if facts)


def attachments(root: Node, tongue: Tongue) -> tuple[Section, ...]:
    """The structured attachment (Zalacznik, FA(3)): one section per block of data."""
    return tuple(_block(node, tongue) for node in root.first("Zalacznik").all("BlokDanych"))


def _block(node: Node, tongue: Tongue) -> Section:
    return Section(
        node.take("ZNaglowek") or tongue.word("attachment"),
        _pairs(node.all("MetaDane"), "ZKlucz", "ZWartosc"),
        tuple(text for texts in node.all("Tekst") for text in texts.take_all("Akapit")),
        tables=tuple(_attached_table(table) for table in node.all("Tabela")),
    )


def _pairs(nodes: Sequence[Node], key: str, value: str) -> tuple[Field, ...]:
    return tuple(Field(node.take(key), node.take(value)) for node in nodes)


def _attached_table(node: Node) -> Table:
    columns = []
    for column in node.first("TNaglowek").all("Kol"):
        numeric = column.attribute("Typ") in ("int", "dec")
        columns.append(Column(column.take("NKom"), "right" if numeric else "left"))
    rows = [_cells(row, "WKom") for row in node.all("Wiersz")]
    sums = [_cells(row, "SKom") for row in node.all("Suma")]
    # a row may have more cells than the heading has columns: nothing of it is cut off
    width = max((len(columns), *map(len, rows), *map(len, sums)))
    columns.extend(Column("") for _ in range(width - len(columns)))
    return Table(
        node.take("Opis"),
        tuple(columns),
        tuple(Row(_filled(row, width)) for row in rows),
        _filled(sums[0], width) if sums else (),
        _pairs(node.all("TMetaDane"), "TKlucz", "TWartosc"),
    )


def _cells(node: Node, name: str) -> tuple[str, ...]:
    return tuple(cell.own() for cell in node.all(name))


def _filled(cells: tuple[str, ...], width: int) -> tuple[str, ...]:
    return cells + ("",) * (width - len(cells))

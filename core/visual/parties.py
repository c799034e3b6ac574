"""Seller, buyer and the other parties of a document."""

from __future__ import annotations

from core.visual.codes import CODES
from core.visual.model import Field, Party
from core.visual.nodes import Node
from core.visual.text import Tongue


def party(node: Node, tongue: Tongue, role: str, address: str = "Adres") -> Party:
    """A party's block: Podmiot1, Podmiot2, Podmiot3, PodmiotUpowazniony, Podmiot1K, Podmiot2K, Przewoznik.

    Args:
        node: the party's element; an empty node gives an empty block.
        tongue: language.
        role: heading of the block.
        address: name of the address element.
    """
    identity = node.first("DaneIdentyfikacyjne")
    facts = [*tongue.facts(node, "NrEORI")]
    if mailing := postal(node.first("AdresKoresp"), tongue):
        facts.append(Field(tongue.label("AdresKoresp"), ", ".join(mailing)))
    for contact in node.all("DaneKontaktowe"):
        facts.extend(tongue.facts(contact, "Email", "EmailPU", "Telefon", "TelefonPU"))
    facts.extend(tongue.facts(node, "NrKlienta", "IDNabywcy", "Udzial", "StatusInfoPodatnika"))
    # JST and GV: 2 means "no" and is not worth a line (FA(3), Podmiot2)
    facts.extend(Field(tongue.label(flag), tongue.word("yes")) for flag in ("JST", "GV") if node.flag(flag))
    return Party(
        role=role,
        name=identity.take("Nazwa"),
        identifiers=(*tongue.facts(node, "PrefiksPodatnika"), *_identifiers(identity, tongue)),
        address=postal(node.first(address), tongue),
        facts=tuple(facts),
    )


def others(root: Node, tongue: Tongue) -> tuple[Party, ...]:
    """Third parties (Podmiot3) with their roles, then the authorised party (PodmiotUpowazniony)."""
    found = [party(node, tongue, _role(node, tongue)) for node in root.all("Podmiot3")]
    for node in root.all("PodmiotUpowazniony"):
        code = node.take("RolaPU")
        role = CODES["RolaPU"].get(code)
        found.append(
            party(node, tongue, tongue.say(role) if role else _joined(tongue.word("authorised"), code))
        )
    return tuple(found)


def postal(node: Node, tongue: Tongue) -> tuple[str, ...]:
    """The lines of an address (TAdres), the country's code after the last one, then the GLN."""
    lines = [line for name in ("AdresL1", "AdresL2") for line in node.take_all(name)]
    if country := node.take("KodKraju"):
        lines[-1:] = [_joined(*lines[-1:], country)]
    lines.extend(f"{field.label} {field.value}" for field in tongue.facts(node, "GLN"))
    return tuple(lines)


def _identifiers(identity: Node, tongue: Tongue) -> tuple[Field, ...]:
    found = [*tongue.facts(identity, "NIP", "IDWew")]
    if number := identity.take("KodUE") + identity.take("NrVatUE"):
        found.append(Field(tongue.label("NrVatUE"), number))
    if number := " ".join((*identity.take_all("KodKraju"), *identity.take_all("NrID"))):
        found.append(Field(tongue.label("NrID"), number))
    if identity.flag("BrakID"):
        found.append(Field("", tongue.word("no-id")))
    return tuple(found)


def _role(node: Node, tongue: Tongue) -> str:
    code = node.take("Rola")
    text = CODES["Rola"].get(code)
    known = tongue.say(text) if text else _joined(tongue.word("third-party"), code) if code else ""
    other = node.flag("RolaInna")
    described = node.take("OpisRoli")
    return _joined(known, described) or tongue.word("other-role" if other else "third-party")


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)

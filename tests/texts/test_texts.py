"""Texts from templates: what a merchant may write, what is refused, and what comes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector_app.texts import BadTexts, Facts, Occasion, Reader, Slot, effective, fill, parse
from connector_app.texts.defaults import own_texts
from connector_app.texts.reading import LANGUAGES
from connector_app.texts.templates import OPTIONAL, SLOTS

FACTS = Facts(
    "FV/1",
    date(2026, 11, 24),
    order_number="1042",
    total="246.00 PLN",
    seller_name="Sklep",
    ksef_number="5265877635-20261124-0100001AF629-AF",
    verification_link="https://qr.example/invoice/1",
    certificate_link="https://qr.example/certificate/1",
    file_mark="9f2c61d0a3b7",
    refusal="Błąd",
    refusal_code="450",
)
BUYER = Slot(Reader.BUYER, Occasion.ACCEPTED)


def test_the_programs_own_texts_pass_their_own_rules() -> None:
    """Every place has a text in both languages, and no other stands in the file."""
    kept = parse(own_texts())
    assert set(kept) == {slot.name for slot in SLOTS}
    assert all(set(texts) == set(LANGUAGES) for texts in kept.values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slot", SLOTS, ids=lambda slot: slot.name)
def test_every_own_text_keeps_its_marker_without_any_optional_value(slot: Slot, language: str) -> None:
    """A note is found again by its marker, whatever else is missing."""
    text = fill(effective(None, slot, language), FACTS)
    assert text
    assert "{" not in text
    assert not text.endswith(":")
    if slot.marker:
        assert FACTS.values()[slot.marker] in text
    there = "https://there.example/x"
    links = replace(FACTS, buyer_page=there, pdf_link=there, transfer_title=there)
    assert all(links.values()[name] == there for name in OPTIONAL)
    full = fill(effective(None, slot, language), links)
    assert ("https://there.example/x" in full) == (slot.reader in {Reader.BUYER, Reader.MAIL_BODY})


def test_a_line_without_its_value_is_left_out() -> None:
    """The page and the PDF are named where they exist."""
    template = "Numer {ksef_number}\nPDF: {pdf_link}\n\nKoniec"
    assert fill(template, FACTS) == f"Numer {FACTS.ksef_number}\n\nKoniec"
    there = replace(FACTS, pdf_link="https://x.example/1.pdf")
    assert "PDF: https://x.example/1.pdf\n" in fill(template, there)


def test_values_are_no_templates() -> None:
    """What a shop or KSeF says is put in as it is."""
    odd = replace(FACTS, order_number="{ksef_number} {0} {__class__}")
    assert fill("{order_number}", odd) == "{ksef_number} {0} {__class__}"


@pytest.mark.parametrize(
    ("slot", "text", "sentence"),
    [
        ("buyer.accepted", "Numer KSeF: {ksef_numer}", "nieznane pole {ksef_numer}"),
        ("buyer.accepted", "Faktura {invoice_number}", "brakuje pola {ksef_number}"),
        ("merchant.correction", "Korekta {invoice_number}", "brakuje pola {ksef_number}"),
        ("buyer.offline", "Faktura {invoice_number} offline", "brakuje pola {certificate_link}"),
        ("buyer.offline", "{certificate_link} {ksef_number}", "nieznane pole {ksef_number}"),
        ("merchant.rejected", "Odrzucono {invoice_number}", "brakuje pola {file_mark}"),
        ("merchant.accepted", "{ksef_number} {transfer_title}", "nieznane pole {transfer_title}"),
        ("buyer.accepted", "{ksef_number.__class__}", "nawias klamrowy bez nazwy pola"),
        ("buyer.accepted", "{ksef_number[0]}", "nawias klamrowy bez nazwy pola"),
        ("buyer.accepted", "{ksef_number!r}", "nawias klamrowy bez nazwy pola"),
        ("buyer.accepted", "{ksef_number:>99999999}", "nawias klamrowy bez nazwy pola"),
        ("buyer.accepted", "{ksef_number} {}", "nawias klamrowy bez nazwy pola"),
        ("buyer.accepted", "{ksef_number} {0}", "nawias klamrowy bez nazwy pola"),
        ("buyer.accepted", "{ksef_number} {", "nawias klamrowy bez nazwy pola"),
        ("buyer.accepted", "  ", "tekst jest pusty"),
        ("buyer.accepted", "{ksef_number}" + "x" * 4000, "ponad 4000 znaków"),
        ("buyer.accepted", "{ksef_number}\x07", "znaki sterujące"),
        ("mail_subject.accepted", "Faktura\nBcc: x@y.example", "jednym wierszem"),
        ("buyer.rejected", "{file_mark}", "nigdy nabywca"),
        ("mail_body.rejected", "{file_mark}", "nigdy nabywca"),
        ("buyer.accept", "{ksef_number}", "nie ma takiego tekstu"),
    ],
)
def test_a_text_that_could_go_wrong_is_refused_when_it_is_set(slot: str, text: str, sentence: str) -> None:
    """Unknown placeholders, dropped markers, code and control characters: one sentence each."""
    reader, occasion = slot.split(".")
    with pytest.raises(BadTexts) as caught:
        parse({reader: {occasion: {"pl": text}}})
    (fault,) = caught.value.faults
    assert fault.pl.startswith(f"[{slot}]")
    assert sentence in fault.pl
    assert fault.en


def test_a_marker_in_a_line_that_may_be_left_out_does_not_count() -> None:
    """Without a PDF the line goes, and the marker with it."""
    with pytest.raises(BadTexts, match="ksef_number"):
        parse({"buyer": {"accepted": {"pl": "Faktura.\nNumer {ksef_number}, PDF {pdf_link}"}}})


def test_all_faults_are_told_at_once() -> None:
    """A merchant corrects the file in one go."""
    with pytest.raises(BadTexts) as caught:
        parse({"buyer": {"accepted": {"pl": "{x}", "de": "hallo"}, "offline": "nie"}, "mail": 1})
    assert len(caught.value.faults) == 4


def test_own_texts_win_by_language_and_place_and_braces_can_be_written() -> None:
    """What the file leaves out is said by the program's text."""
    stored = parse({"buyer": {"accepted": {"pl": "{{Mamy}} numer {ksef_number}!"}}})
    assert fill(effective(stored, BUYER, "pl"), FACTS) == f"{{Mamy}} numer {FACTS.ksef_number}!"
    assert "Poland's national" in fill(effective(stored, BUYER, "en"), FACTS)
    correction = Slot(Reader.BUYER, Occasion.CORRECTION)
    assert effective(stored, correction, "pl") == effective(None, correction, "pl")

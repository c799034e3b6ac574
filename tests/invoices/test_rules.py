"""Each semantic rule: a right invoice with one defect gives exactly the finding that names it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from core.fa import number_rules, registry, schema
from core.fa.read import read
from core.fa.validate import validate
from core.findings import Finding, Severity
from core.invoices import rules
from core.invoices.model import (
    Address,
    BankAccount,
    Invoice,
    InvoiceKind,
    PaymentTerms,
    RateRow,
    RateSummary,
    TaxId,
    VatCategory,
)
from tests.fa import structures
from tests.invoices.rules import amount_cases, bases, documentation, party_cases
from tests.invoices.rules.cases import Case

CASES: dict[str, Case] = party_cases.CASES | amount_cases.CASES
RULES = {rule.code: rule for rule in (*rules.RULES, *number_rules.RULES)}
EXAMPLES = [
    *(f"FA_3_Przykład_{number}" for number in (1, 3, 5, 7, 9, 11, 13, 15, 21, 23, 25)),
    *(f"Fa_3_Przykład_{number}" for number in (17, 19)),
]
# the Ministry's examples name parties and numbers that do not exist
ARTIFICIAL = {"third-party-nip-check-digit", "original-ksef-number", "advance-ksef-number"}


def findings(invoice: Invoice, *, older: bool = False) -> list[Finding]:
    context = rules.Context(bases.DAY, older_schema=older)
    return rules.check(invoice, context) + number_rules.check_ksef_numbers(invoice)


@pytest.mark.parametrize("base", bases.BASES)
def test_a_right_invoice_has_no_finding(base: str) -> None:
    """The invoices that the defects are put into are right themselves."""
    assert findings(bases.BASES[base]()) == []


@pytest.mark.parametrize("name", CASES)
def test_one_defect_gives_exactly_its_finding(name: str) -> None:
    """The code and place of the one rule that was broken, and no other finding."""
    case = CASES[name]
    found = findings(case.make(), older=case.older)
    assert [(one.code, one.path) for one in found] == [(case.code, case.path)]
    assert found[0].severity is RULES[case.code].severity
    assert "{" not in found[0].message.pl + found[0].message.en


def test_every_rule_has_a_defect_here() -> None:
    """A rule without a test fails this one, and so does a test of a rule that is gone."""
    assert {case.code for case in CASES.values()} == set(RULES)


def test_no_two_rules_share_a_code() -> None:
    """A code names one rule for ever: documentation and the merchant's filters refer to it."""
    every = [*rules.RULES, *number_rules.RULES]
    assert len(RULES) == len(every) >= 50


@pytest.mark.parametrize("code", RULES)
def test_every_rule_speaks_both_languages(code: str) -> None:
    """A sentence in Polish and one in English, different from each other, a source, and paired hints."""
    rule = RULES[code]
    assert rule.sentence.pl.endswith(".")
    assert rule.sentence.en.endswith(".")
    assert rule.sentence.pl != rule.sentence.en
    assert bool(rule.hint.pl) == bool(rule.hint.en)
    assert rule.source
    if rule.severity is Severity.ERROR:
        assert rule.hint.pl


def test_the_documentation_lists_every_rule() -> None:
    """docs/rules.md has a row for each code, with its severity, both sentences and its source."""
    assert documentation.PAGE.read_text("utf-8") == documentation.page(), (
        "write it anew: python -m tests.invoices.rules.documentation"
    )
    assert [entry.code for entry in rules.catalogue()] == sorted(rule.code for rule in rules.RULES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_ministrys_examples_have_no_errors(official_ksef: Path, name: str) -> None:
    """Apart from numbers that nobody has, nothing in them would forbid sending."""
    data = (official_ksef / "fa3-examples" / f"{name}.xml").read_bytes()
    result = read(schema.parse(data))
    errors = {one.code for one in findings(result.invoice) if one.severity is Severity.ERROR}
    assert errors <= ARTIFICIAL


def test_decimals_below_the_grosz_are_found_in_the_table_and_in_the_total() -> None:
    """They come with a difference of sums, so no single finding can show them."""
    invoice = replace(bases.of_rate(bases.valid(), 0, vat=D("34.501")), total=D("292.502"))
    paths = {one.path for one in findings(invoice) if one.code == "amount-decimals"}
    assert paths == {"Faktura/Fa/P_13_1", "Faktura/Fa/P_15"}


class TestWhatRulesAllow:
    """Lawful documents that a careless rule would refuse."""

    def test_a_correction_by_differences(self) -> None:
        """Negative quantities and amounts, and the numbers of the original's lines."""
        rows = (bases.line(7, "-50.00", quantity="-2"),)
        assert findings(bases.correction(lines=rows)) == []

    def test_a_correction_of_a_rate(self) -> None:
        """The row before and the row after stand in different rows of the table."""
        rows = (bases.line(1, "100.00", before=True), bases.line(1, "100.00", VatCategory.R8))
        rates = (
            RateSummary(RateRow.BASIC, D("-100.00"), D("-23.00")),
            RateSummary(RateRow.REDUCED, D("100.00"), D("8.00")),
        )
        assert findings(bases.correction(lines=rows, rates=rates, total=D("-15.00"))) == []

    def test_a_correction_that_confirms_a_line(self) -> None:
        """A pair of equal rows needs no row of the table."""
        same = (bases.line(2, "5.00", VatCategory.R8, before=True), bases.line(2, "5.00", VatCategory.R8))
        assert findings(bases.correction(lines=(*bases.correction().lines, *same))) == []

    def test_rows_before_and_after_with_numbers_of_their_own(self) -> None:
        """Sources disagree whether a pair shares its number: UU_ID joins it as well."""
        before, after = bases.correction().lines
        assert findings(bases.correction(lines=(before, replace(after, number=2)))) == []

    def test_a_discount_on_a_period_has_no_lines(self) -> None:
        """Art. 106j ust. 3: the table alone."""
        assert findings(bases.correction(lines=())) == []

    def test_a_line_of_nothing_needs_no_row(self) -> None:
        """A free gift at another rate."""
        gift = bases.line(4, "0.00", VatCategory.R5)
        assert findings(bases.valid(lines=(*bases.valid().lines, gift))) == []

    def test_a_settlement_may_lack_a_row_that_its_advance_used_up(self) -> None:
        """Its lines show the whole order, its table the rest."""
        lines = (*bases.settlement().lines, bases.line(3, "10.00", VatCategory.R8))
        assert findings(bases.settlement(lines=lines)) == []

    def test_tax_counted_line_by_line_may_leave_the_sum(self) -> None:
        """Fifty times 0.19 on 0.99 are 9.50; from the sum it would be 9.26 (art. 106e ust. 10)."""
        one = bases.by_line().lines[0]
        invoice = bases.by_line(
            lines=tuple(replace(one, number=number) for number in range(1, 51)),
            rates=(RateSummary(RateRow.BASIC, D("40.00"), D("9.50")),),
            total=D("49.50"),
        )
        assert findings(invoice) == []

    def test_two_rates_of_one_row(self) -> None:
        """23 % and an old 22 % of a correction share P_13_1."""
        rows = (bases.line(1, "-50.00"), bases.line(2, "-50.00", VatCategory.R22))
        rates = (RateSummary(RateRow.BASIC, D("-100.00"), D("-22.50")),)
        assert findings(bases.correction(lines=rows, rates=rates, total=D("-122.50"))) == []

    def test_lines_with_both_amounts(self) -> None:
        """P_11 and P_11A side by side."""
        invoice = bases.of_line(bases.valid(), 1, gross_amount=D("61.50"))
        assert findings(invoice) == []

    def test_a_consumer_may_ask_late(self) -> None:
        """Art. 106i ust. 6: three months, on request."""
        consumer = bases.valid(buyer=bases.CONSUMER, sold_on=date(2026, 9, 1))
        assert findings(consumer) == []

    @pytest.mark.parametrize("account", ["PL61 1090 1014 0000 0712 1981 2874", "DE89370400440532013000"])
    def test_accounts_that_are_right(self, account: str) -> None:
        """Spaces and the country code do not matter."""
        payment = PaymentTerms(accounts=(BankAccount(account),))
        assert findings(bases.valid(payment=payment)) == []

    @pytest.mark.parametrize("tax_id", [TaxId.none(), TaxId.other("5260250274", "US")])
    def test_buyers_without_a_polish_number(self, tax_id: TaxId) -> None:
        """A foreign number that looks like a NIP stays a foreign number."""
        assert findings(bases.of_buyer(bases.valid(), tax_id=tax_id)) == []

    def test_a_greek_number_goes_with_a_greek_address(self) -> None:
        """KodUE of Greece is EL, its address has GR."""
        buyer = replace(bases.GERMAN, tax_id=TaxId.eu_vat("EL", "094259216"), address=Address("GR", "Odos 1"))
        assert findings(bases.supply(buyer=buyer)) == []

    @pytest.mark.parametrize("kind", [InvoiceKind.SIMPLIFIED])
    def test_a_simplified_invoice_names_nobody(self, kind: InvoiceKind) -> None:
        """Art. 106e ust. 5 pkt 3 leaves out the buyer's name and address."""
        assert bases.simplified().kind is kind
        assert findings(bases.simplified()) == []

    @pytest.mark.parametrize("category", [VatCategory.ZERO, VatCategory.OUTSIDE])
    def test_fa2_has_one_code_for_several_rows(self, category: VatCategory) -> None:
        """Read from FA(2), ``0`` goes with P_13_6_2 and ``np`` with P_13_9."""
        base = bases.supply() if category is VatCategory.ZERO else bases.services()
        invoice = bases.of_line(base, 0, category=category)
        assert findings(invoice, older=True) == []
        assert {one.code for one in findings(invoice)} == {"rate-missing-in-table", "rate-without-lines"}

    def test_fa2_has_no_flags(self) -> None:
        """Role 8 without JST is right in FA(2)."""
        case = CASES["a unit without JST"]
        assert findings(case.make(), older=True) == []


@pytest.mark.parametrize("declared", registry.SCHEMAS, ids=lambda one: one.version)
@pytest.mark.parametrize("turn", range(8))
def test_whatever_the_schema_allows_gets_findings(declared: registry.FaSchema, turn: int) -> None:
    """Generated documents with every element and every branch, most of them nonsense: never an exception."""
    root = structures.sample(structures.load(declared, None), turn, full=True)
    report = validate(etree.tostring(root, encoding="utf-8", xml_declaration=True), bases.DAY)
    assert report.invoice is not None
    assert report.findings


@pytest.mark.parametrize(
    "changes",
    [
        {"total": D("1e15"), "rates": (), "lines": ()},
        {"issued_on": date.max, "sold_on": date(9999, 12, 1)},
        {"issued_on": date.min},
        {"lines": tuple(bases.line(number, "0.01") for number in range(1, 2001))},
        {"lines": (bases.line(1, "999999999999999.99", quantity="999999.999999"),)},
    ],
    ids=["10^15", "the last day", "the first day", "2000 lines", "long amounts"],
)
def test_extreme_values_get_findings(changes: dict[str, Any]) -> None:
    """Values outside the schema, which a model may hold: never an exception."""
    assert findings(bases.valid(**changes))


def test_validate_runs_every_layer(official_ksef: Path) -> None:
    """Bytes, schema, rules: a broken check sum in a file is found, KSeF numbers included."""
    data = (official_ksef / "fa3-examples" / "FA_3_Przykład_3.xml").read_bytes()
    changed = data.removeprefix(b"\xef\xbb\xbf").replace(b"<NIP>1111111111</NIP>", b"<NIP>1111111112</NIP>")
    codes = {one.code for one in validate(changed, date(2026, 4, 1)).findings}
    assert {"buyer-nip-check-digit", "original-ksef-number", "regon-check-digit"} <= codes

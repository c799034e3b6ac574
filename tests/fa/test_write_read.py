"""Writing and reading: what the model holds comes back, what a document holds is not lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal as D
from pathlib import Path

import pytest
from lxml import etree

from core.fa import schema
from core.fa.read import ReadResult, UnreadableDocument, read
from core.fa.registry import FA2, FA3, FaSchema, UnknownSchema
from core.fa.write import write
from core.findings import has_errors
from core.invoices import model as m
from core.orders import PaymentForm

DAY = date(2026, 11, 24)
MOMENT = datetime(2026, 11, 24, 9, 30, 15, tzinfo=UTC)
NASTY = "<b>&amp;]]> \"ż\" 'ę' – 😀</b>"

LINE = m.InvoiceLine(
    number=1,
    line_id="0123456789abcdef",
    name=NASTY,
    quantity=D("2.5"),
    unit="kg",
    gross_price=D("49.99"),
    discount=D("1.97"),
    gross_amount=D("123.00"),
    category=m.VatCategory.R23,
)
PLAIN = m.Invoice(
    kind=m.InvoiceKind.VAT,
    number=NASTY,
    issued_on=DAY,
    created_at=MOMENT,
    currency="PLN",
    seller=m.Seller("5265877635", NASTY, m.Address("PL", NASTY)),
    buyer=m.Buyer(m.TaxId.none(), NASTY),
    total=D("123.00"),
    lines=(LINE,),
    rates=(m.RateSummary(m.RateRow.BASIC, D("100.00"), D("23.00")),),
)
FULL = replace(
    PLAIN,
    currency="EUR",
    seller=m.Seller(
        "5265877635", NASTY, m.Address("PL", NASTY, NASTY, "5901234123457"), (m.Contact("a@b.pl", "22 123"),)
    ),
    buyer=m.Buyer(
        m.TaxId.nip("5260250274"),
        NASTY,
        m.Address("PL", NASTY, NASTY),
        (m.Contact("a@b.pl", "22 123"),),
        customer_number=NASTY,
    ),
    place=NASTY,
    sold_on=date(2026, 11, 23),
    lines=(
        replace(LINE, sku=NASTY, gtin="5901234123457", vat=D("23.00"), exchange_rate=D("4.261712")),
        replace(LINE, number=2, gross_price=D("33.33333333"), discount=None, vat=D("0.00")),
    ),
    rates=(
        m.RateSummary(m.RateRow.BASIC, D("100.00"), D("23.00"), D("98.02")),
        m.RateSummary(m.RateRow.REDUCED, D("1.00"), D("0.08"), D("0.34")),
        m.RateSummary(m.RateRow.LOWEST, D("1.00"), D("0.05"), D("0.21")),
        m.RateSummary(m.RateRow.TAXI, D("1.00"), D("0.04"), D("0.17")),
        m.RateSummary(m.RateRow.OSS, D("1.00"), D("0.19")),
        *(
            m.RateSummary(row, D("1.00"))
            for row in m.RateRow
            if row.value
            in {"P_13_6_1", "P_13_6_2", "P_13_6_3", "P_13_7", "P_13_8", "P_13_9", "P_13_10", "P_13_11"}
        ),
    ),
    annotations=m.Annotations(True, True, True, True, exemption_law=NASTY, simplified_triangular=True),
    descriptions=(m.Description(NASTY, NASTY), m.Description("Kolor", "czerwony", line=1)),
    payment=m.PaymentTerms(
        paid_on=DAY,
        form=PaymentForm.TRANSFER,
        due=(m.DueTerm(due_on=date(2026, 12, 8)),),
        accounts=(m.BankAccount("61109010140000071219812874", "WBKPPLPP", NASTY),),
    ),
    terms=m.TransactionTerms(orders=(m.OrderReference(NASTY, DAY), m.OrderReference("2"))),
    footer=m.Footer((NASTY,), (m.Register(krs="0000127206", regon="010461074", bdo="000012345"),)),
    system=NASTY,
)
BOTH = pytest.mark.parametrize("version", [FA2, FA3], ids=["FA2", "FA3"])


def back(data: bytes) -> ReadResult:
    return read(schema.parse(data))


def valid(data: bytes, version: FaSchema) -> bool:
    return not has_errors(schema.check(schema.parse(data), version))


def canonical(tree: etree._ElementTree) -> bytes:
    """Canonical XML without comments and insignificant space."""
    parser = etree.XMLParser(remove_blank_text=True, remove_comments=True, resolve_entities=False)
    root = etree.fromstring(etree.tostring(tree), parser)
    for element in root.iter():
        if len(element):
            element.text = None
        elif element.text:
            element.text = " ".join(element.text.split())
        element.tail = None
    etree.cleanup_namespaces(root)
    return bytes(etree.tostring(root, method="c14n"))


@BOTH
class TestRoundTrip:
    """Every version gives back what it was given."""

    def test_the_least_invoice(self, version: FaSchema) -> None:
        """No optional part at all."""
        data = write(PLAIN, version)
        assert valid(data, version)
        assert back(data).invoice == PLAIN

    def test_every_optional_part(self, version: FaSchema) -> None:
        """All fields of the model that a sale may fill, all rows of the VAT table."""
        data = write(FULL, version)
        assert valid(data, version)
        assert back(data).invoice == FULL
        assert back(data).schema is version

    def test_the_same_bytes_for_the_same_invoice(self, version: FaSchema) -> None:
        """The hash of a document does not depend on when or how often it is written."""
        data = write(FULL, version)
        assert data == write(replace(FULL), version) == write(back(data).invoice, version)

    @pytest.mark.parametrize(
        "tax_id",
        [
            m.TaxId.none(),
            m.TaxId.nip("5260250274"),
            m.TaxId.eu_vat("DE", "136695976"),
            m.TaxId.other("A1", "US"),
            m.TaxId.other("A1"),
        ],
        ids=lambda tax_id: f"{tax_id.kind}{tax_id.country}",
    )
    def test_every_way_to_identify_a_buyer(self, version: FaSchema, tax_id: m.TaxId) -> None:
        """NIP, EU number, other number with and without a country, and none."""
        invoice = replace(PLAIN, buyer=m.Buyer(tax_id, "Nabywca"))
        data = write(invoice, version)
        assert valid(data, version)
        assert back(data).invoice == invoice

    @pytest.mark.parametrize("form", PaymentForm)
    def test_every_form_of_payment(self, version: FaSchema, form: PaymentForm) -> None:
        """TFormaPlatnosci."""
        invoice = replace(PLAIN, payment=m.PaymentTerms(form=form))
        data = write(invoice, version)
        assert valid(data, version)
        assert back(data).invoice == invoice

    @pytest.mark.parametrize("paid", [None, DAY], ids=["unpaid", "paid"])
    def test_a_form_in_words(self, version: FaSchema, paid: date | None) -> None:
        """PlatnoscInna with OpisPlatnosci."""
        invoice = replace(PLAIN, payment=m.PaymentTerms(paid_on=paid, description=NASTY))
        data = write(invoice, version)
        assert valid(data, version)
        assert back(data).invoice == invoice

    @pytest.mark.parametrize("basis", ["exemption_law", "exemption_directive", "exemption_other"])
    def test_every_basis_of_exemption(self, version: FaSchema, basis: str) -> None:
        """P_19A, P_19B, P_19C."""
        notes = replace(m.Annotations(), **{basis: NASTY})  # type: ignore[arg-type]
        invoice = replace(PLAIN, annotations=notes)
        data = write(invoice, version)
        assert valid(data, version)
        assert back(data).invoice == invoice

    def test_net_pricing(self, version: FaSchema) -> None:
        """P_9A and P_11 instead of P_9B and P_11A."""
        one = replace(
            LINE, gross_price=None, gross_amount=None, net_price=D("40.788"), net_amount=D("100.00")
        )
        invoice = replace(PLAIN, lines=(one,))
        data = write(invoice, version)
        assert valid(data, version)
        assert b"<P_9A>40.788</P_9A>" in data
        assert b"P_9B" not in data
        assert b"P_11A" not in data
        assert back(data).invoice == invoice
        assert back(data).invoice.pricing is m.Pricing.NET

    def test_rows_of_zero(self, version: FaSchema) -> None:
        """A row of 0.00 is a row: it is read into the table and not kept aside."""
        rows = (m.RateSummary(m.RateRow.BASIC, D("0.00"), D("0.00")),)
        invoice = replace(PLAIN, rates=rows, total=D("0.00"))
        result = back(write(invoice, version))
        assert result.invoice == invoice
        assert result.invoice.fa_extra == ()

    @pytest.mark.parametrize("category", m.VatCategory)
    def test_every_category_of_a_line(self, version: FaSchema, category: m.VatCategory) -> None:
        """P_12 and its row, also where FA(2) has one code for several categories (0, np)."""
        invoice = replace(
            PLAIN,
            lines=(replace(LINE, category=category),),
            rates=(m.RateSummary(category.row, D("123.00"), D("0.00") if category.rate else None),),
        )
        data = write(invoice, version)
        assert valid(data, version)
        assert back(data).invoice == invoice

    def test_the_seller_of_a_correction_may_be_named_by_many_lines(self, version: FaSchema) -> None:
        """Order of lines and descriptions is kept."""
        lines = tuple(replace(LINE, number=number, name=f"Towar {number}") for number in range(1, 301))
        notes = tuple(m.Description(f"k{n}", f"v{n}") for n in range(50))
        invoice = replace(PLAIN, lines=lines, descriptions=notes)
        assert back(write(invoice, version)).invoice == invoice

    @pytest.mark.parametrize(
        ("written", "text"),
        [("0.5", "0.5"), ("1E+3", "1000"), ("0.000001", "0.000001"), ("3", "3")],
    )
    def test_quantities_have_no_exponent(self, version: FaSchema, written: str, text: str) -> None:
        """TIlosci knows no exponent."""
        data = write(replace(PLAIN, lines=(replace(LINE, quantity=D(written)),)), version)
        assert f"<P_8B>{text}</P_8B>".encode() in data
        assert valid(data, version)

    @pytest.mark.parametrize("price", ["5E-7", "0.00000050", "33.33333333", "1E+2"])
    def test_prices_have_no_exponent(self, version: FaSchema, price: str) -> None:
        """TKwotowy2: eight decimals, no exponent."""
        data = write(replace(PLAIN, lines=(replace(LINE, gross_price=D(price)),)), version)
        assert valid(data, version)
        found = back(data).invoice.lines[0].gross_price
        assert found == D(price)

    def test_a_time_of_another_zone_is_written_as_utc(self, version: FaSchema) -> None:
        """DataWytworzeniaFa carries a Z."""
        warsaw = MOMENT.astimezone(timezone(timedelta(hours=1)))
        assert b"<DataWytworzeniaFa>2026-11-24T09:30:15Z<" in write(
            replace(PLAIN, created_at=warsaw), version
        )


class TestEscaping:
    """Markup in texts stays text."""

    @BOTH
    def test_no_text_becomes_markup(self, version: FaSchema) -> None:
        """A name that is XML does not add elements."""
        injected = "</P_7><P_12>zw</P_12><P_7>"
        data = write(replace(PLAIN, lines=(replace(LINE, name=injected),)), version)
        root = schema.parse(data).getroot()
        assert len(root.findall(".//{*}P_12")) == 1
        assert root.findtext(".//{*}P_7") == injected

    @BOTH
    def test_the_bytes_are_utf_8_with_a_prolog(self, version: FaSchema) -> None:
        """No byte order mark, encoding named, Polish letters and emoji as they are."""
        data = write(PLAIN, version)
        assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
        assert "– 😀" in data.decode("utf-8")


class TestDialects:
    """The differences between FA(2) and FA(3)."""

    def test_only_fa3_states_the_buyers_flags(self) -> None:
        """JST and GV are mandatory in FA(3) and unknown in FA(2)."""
        assert b"<JST>2</JST><GV>2</GV>" in write(PLAIN, FA3)
        assert b"JST" not in write(PLAIN, FA2)
        flagged = replace(
            PLAIN, buyer=replace(PLAIN.buyer, is_local_government_unit=True, is_vat_group_member=True)
        )
        assert b"<JST>1</JST><GV>1</GV>" in write(flagged, FA3)
        assert back(write(flagged, FA3)).invoice == flagged

    @pytest.mark.parametrize(("version", "limit"), [(FA2, 256), (FA3, 512)], ids=["FA2", "FA3"])
    def test_a_name_is_cut_to_its_room(self, version: FaSchema, limit: int) -> None:
        """P_7 takes 256 characters in FA(2) and 512 in FA(3); a cut one ends with an ellipsis."""
        for name in ("ż" * 512, "x" * (limit - 2) + " " + "y" * 400, "😀" * 512):
            data = write(replace(PLAIN, lines=(replace(LINE, name=name[:512]),)), version)
            assert valid(data, version)
            written = back(data).invoice.lines[0].name
            assert len(written) <= limit
            assert written == name[:512] or written.endswith("…")

    def test_codes_of_zero(self) -> None:
        """FA(3) splits 0 % and sales outside Poland, FA(2) does not."""
        for category, old in ((m.VatCategory.ZERO, b"0"), (m.VatCategory.OUTSIDE_SERVICES, b"np")):
            invoice = replace(PLAIN, lines=(replace(LINE, category=category),))
            assert b"<P_12>" + category.value.encode() + b"</P_12>" in write(invoice, FA3)
            assert b"<P_12>" + old + b"</P_12>" in write(invoice, FA2)


class TestReading:
    """Documents that somebody else wrote."""

    def test_official_examples_survive(self, official_ksef: Path) -> None:
        """Each of the Ministry's examples, read and written, has the same canonical XML."""
        examples = sorted((official_ksef / "fa3-examples").glob("*.xml"))
        assert len(examples) == 13
        changed = []
        for example in examples:
            tree = schema.parse(example.read_bytes())
            written = write(read(tree).invoice, FA3)
            if canonical(schema.parse(written)) != canonical(tree):
                changed.append(example.name)
        assert changed == []

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("<P_9B>49.99</P_9B>", "<P_9A>40.64</P_9A><P_9B>49.99</P_9B>"),
            ("<P_11A>123.00</P_11A>", "<P_11>100.00</P_11><P_11A>123.00</P_11A>"),
            ("<P_11A>123.00</P_11A>", ""),
            ("<P_11A>123.00</P_11A>", "<P_11A>123.0</P_11A>"),
            ("<P_8B>2.5</P_8B>", ""),
            ("<P_8B>2.5</P_8B>", "<P_8B>2.500000</P_8B>"),
            ("<P_12>23</P_12>", ""),
            ("<P_12>23</P_12>", "<P_12>23</P_12><GTU>GTU_06</GTU>"),
            ("<P_13_1>100.00</P_13_1>", "<P_13_1>100</P_13_1>"),
            ("<P_22N>1</P_22N>", "<P_22N>1</P_22N><!-- comment -->"),
            ("2026-11-24T09:30:15Z", "2026-11-24T09:30:15.123456Z"),
            ("2026-11-24T09:30:15Z", "2026-11-24T10:30:15+01:00"),
            ("<P_15>", "<P_13_7>0.00</P_13_7><P_15>"),
        ],
    )
    def test_unusual_but_valid_documents_survive(self, before: str, after: str) -> None:
        """Whatever way an amount, a time or a line is written, nothing is dropped or added."""
        text = write(PLAIN, FA3).decode()
        assert before in text
        data = text.replace(before, after, 1).encode()
        assert valid(data, FA3)
        assert canonical(schema.parse(write(back(data).invoice, FA3))) == canonical(schema.parse(data))

    def test_net_and_gross_lines_side_by_side_keep_their_amounts(self) -> None:
        """Each line says for itself how it is counted."""
        net = replace(
            LINE, number=2, gross_price=None, gross_amount=None, net_price=D("10.00"), net_amount=D("25.00")
        )
        for lines in ((LINE, net), (net, LINE)):
            invoice = replace(PLAIN, lines=lines)
            assert [one.amount for one in back(write(invoice, FA3)).invoice.lines] == [
                one.amount for one in lines
            ]

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda text: text.replace("<P_1>2026-11-24</P_1>", ""),
            lambda text: text.replace("<P_15>123.00</P_15>", ""),
            lambda text: text.replace("<P_15>123.00", "<P_15>dużo"),
            lambda text: text.replace("<P_1>2026-11-24", "<P_1>wczoraj"),
            lambda text: text.replace("<RodzajFaktury>VAT", "<RodzajFaktury>XYZ"),
            lambda text: text.replace("<P_12>23", "<P_12>19"),
            lambda text: text.replace("<NIP>5265877635</NIP>", ""),
            lambda text: text.replace("<NrWierszaFa>1", "<NrWierszaFa>raz"),
            lambda text: text.replace("<P_13_1>100.00", "<P_13_1>x"),
            lambda text: text[: text.index("<Fa>")] + "</Faktura>",
            lambda text: text[: text.index("<Naglowek>")] + "</Faktura>",
        ],
    )
    def test_a_broken_document_is_unreadable_and_nothing_else(self, spoil: Callable[[str], str]) -> None:
        """One exception type, whatever is missing or no value."""
        text = write(PLAIN, FA3).decode()
        spoiled = spoil(text)
        assert spoiled != text
        with pytest.raises(UnreadableDocument):
            back(spoiled.encode())

    def test_another_namespace_is_an_unknown_schema(self) -> None:
        """FA(1) and anything else."""
        data = write(PLAIN, FA3).replace(FA3.namespace.encode(), b"http://example.com/")
        with pytest.raises(UnknownSchema):
            back(data)

"""Platnosc and Rozliczenie: when, how much and how is paid."""

from __future__ import annotations

from datetime import date

from core.invoices.model import DueTerm, PaymentTerms, Settlement
from core.invoices.rules.rule import Subject, error, info, warning
from core.money import ZERO
from core.orders import PaymentForm

PAID_LATER = error(
    "paid-in-future",
    "DataZaplaty",
    "Data zapłaty {day} jest późniejsza niż dziś.",
    "The day of payment {day} is after today.",
    "Popraw datę zapłaty.",
    "Correct the day of payment.",
)
PAID_LONG_AGO = warning(
    "paid-before-ksef",
    "DataZaplaty",
    "Data zapłaty {day} jest podejrzanie dawna.",
    "The day of payment {day} is suspiciously long ago.",
    "Sprawdź datę zapłaty.",
    "Check the day of payment.",
)
PAID_TWICE = error(
    "paid-and-part-payments",
    "Zaplacono or ZaplataCzesciowa",
    "Podano i zapłatę całości, i zapłaty częściowe, a schemat pozwala na jedno z nich.",
    "Both a payment of the whole and part payments are given, the schema allows one of them.",
    "Zostaw tylko jedno.",
    "Keep only one.",
)
PARTS_EXCEED = warning(
    "part-payments-exceed-total",
    "KwotaZaplatyCzesciowej, P_15",
    "Zapłaty częściowe dają razem {paid}, więcej niż kwota należności {total}.",
    "The part payments make {paid} together, more than the total {total}.",
    "Sprawdź kwoty zapłat.",
    "Check the payments' amounts.",
)
PARTS_LACK = warning(
    "part-payments-do-not-cover",
    "ZnacznikZaplatyCzesciowej, KwotaZaplatyCzesciowej",
    "Faktura ma być zapłacona w całości, a zapłaty częściowe dają {paid} z {total}.",
    "The invoice is marked as paid in whole, but the part payments make {paid} of {total}.",
    "Popraw znacznik albo kwoty.",
    "Correct the mark or the amounts.",
)
PARTS_COVER = info(
    "part-payments-cover-total",
    "ZnacznikZaplatyCzesciowej",
    "Zapłaty częściowe pokrywają całą kwotę, a znacznik mówi o zapłacie w części.",
    "The part payments cover the whole total, but the mark says that it is partly paid.",
)
PART_LATER = error(
    "part-payment-in-future",
    "DataZaplatyCzesciowej",
    "Data zapłaty częściowej {day} jest późniejsza niż dziś.",
    "The day of a part payment, {day}, is after today.",
    "Popraw datę zapłaty.",
    "Correct the day of payment.",
)
PART_AMOUNT = warning(
    "part-payment-not-positive",
    "KwotaZaplatyCzesciowej",
    "Kwota zapłaty częściowej {amount} nie jest większa od zera.",
    "The amount of a part payment, {amount}, is not above zero.",
    "Usuń zapłatę albo popraw kwotę.",
    "Remove the payment or correct its amount.",
)
DUE_EARLY = warning(
    "due-before-issue",
    "TerminPlatnosci: Termin",
    "Termin płatności {due} przypada przed datą wystawienia {issued}.",
    "The payment is due on {due}, before the issue date {issued}.",
    "Popraw termin płatności.",
    "Correct the due date.",
)
DUE_PARTLY = error(
    "due-term-incomplete",
    "TerminOpis: Ilosc, Jednostka, ZdarzeniePoczatkowe",
    "Opisany termin płatności wymaga liczby, jednostki i zdarzenia początkowego.",
    "A described due date needs a number, a unit and an initial event.",
    "Uzupełnij opis terminu.",
    "Complete the description.",
)
FORM_TWICE = warning(
    "payment-form-and-description",
    "FormaPlatnosci or PlatnoscInna",
    "Podano i formę płatności, i opis innej formy; do dokumentu trafi tylko forma.",
    "Both a form of payment and the description of another one are given; only the form is written.",
    "Zostaw tylko jedno.",
    "Keep only one.",
)
LINK = error(
    "payment-link-without-id",
    "LinkDoPlatnosci",
    "Link do płatności nie zawiera parametru IPKSeF.",
    "The payment link lacks the parameter IPKSeF.",
    "Użyj linku od dostawcy płatności obsługującego KSeF.",
    "Use a link of a payment provider that supports KSeF.",
)
LINK_ID = warning(
    "payment-link-id-differs",
    "LinkDoPlatnosci, IPKSeF",
    "Link do płatności ma inny identyfikator niż pole IPKSeF ({value}).",
    "The payment link has another id than the field IPKSeF ({value}).",
    "Podaj ten sam identyfikator.",
    "State the same id.",
)
TRANSFER = info(
    "transfer-without-account",
    "FormaPlatnosci, RachunekBankowy",
    "Faktura czeka na przelew, ale nie podaje rachunku.",
    "The invoice waits for a transfer, but states no account.",
)
CHARGES = warning(
    "charges-total-differs",
    "SumaObciazen",
    "Suma obciążeń {stated} różni się od ich kwot razem {counted}.",
    "The total of charges {stated} differs from their sum {counted}.",
    "Popraw sumę obciążeń.",
    "Correct the total of charges.",
)
DEDUCTIONS = warning(
    "deductions-total-differs",
    "SumaOdliczen",
    "Suma odliczeń {stated} różni się od ich kwot razem {counted}.",
    "The total of deductions {stated} differs from their sum {counted}.",
    "Popraw sumę odliczeń.",
    "Correct the total of deductions.",
)
TO_PAY = error(
    "to-pay-differs",
    "DoZaplaty: P_15 plus Obciazenia minus Odliczenia",
    "Do zapłaty podano {stated}, a z należności, obciążeń i odliczeń wynika {counted}.",
    "To pay is {stated}, but total, charges and deductions give {counted}.",
    "Popraw kwotę do zapłaty.",
    "Correct the amount to pay.",
)
TO_PAY_TWICE = error(
    "to-pay-and-to-settle",
    "DoZaplaty or DoRozliczenia",
    "Podano i kwotę do zapłaty, i nadpłatę do rozliczenia, a schemat pozwala na jedno z nich.",
    "Both an amount to pay and an overpayment are given, the schema allows one of them.",
    "Zostaw tylko jedno.",
    "Keep only one.",
)

_FIRST_DAY = date(2016, 7, 1)
_PATH = "Faktura/Fa/Platnosc"


def check_payment(subject: Subject) -> None:
    """Terms of payment and further settlements."""
    payment, settlement = subject.invoice.payment, subject.invoice.settlement
    if payment is not None:
        _paid(subject, payment)
        for index, due in enumerate(payment.due, 1):
            _due(subject, due, f"{_PATH}/TerminPlatnosci[{index}]")
        _form(subject, payment)
    if settlement is not None:
        _settlement(subject, settlement)


def _paid(subject: Subject, payment: PaymentTerms) -> None:
    day = payment.paid_on
    if day is not None:
        if day > subject.context.today:
            subject.report(PAID_LATER, f"{_PATH}/DataZaplaty", day=day)
        elif day < _FIRST_DAY:
            subject.report(PAID_LONG_AGO, f"{_PATH}/DataZaplaty", day=day)
        if payment.part_payments:
            subject.report(PAID_TWICE, f"{_PATH}/ZaplataCzesciowa")
    elif payment.part_payments:
        _parts(subject, payment)


def _parts(subject: Subject, payment: PaymentTerms) -> None:
    total, paid = subject.invoice.total, ZERO
    for index, part in enumerate(payment.part_payments, 1):
        path = f"{_PATH}/ZaplataCzesciowa[{index}]"
        paid += part.amount
        if part.paid_on > subject.context.today:
            subject.report(PART_LATER, f"{path}/DataZaplatyCzesciowej", day=part.paid_on)
        if part.amount <= 0 and not subject.is_correction:
            subject.report(PART_AMOUNT, f"{path}/KwotaZaplatyCzesciowej", amount=part.amount)
    if subject.is_correction:
        return
    settlement = subject.invoice.settlement
    if settlement is not None and settlement.to_pay is not None:
        total = settlement.to_pay
    if paid > total:
        subject.report(PARTS_EXCEED, f"{_PATH}/ZaplataCzesciowa", paid=paid, total=total)
    elif payment.paid_in_parts and paid < total:
        subject.report(PARTS_LACK, f"{_PATH}/ZnacznikZaplatyCzesciowej", paid=paid, total=total)
    elif paid == total and not payment.paid_in_parts:
        subject.report(PARTS_COVER, f"{_PATH}/ZnacznikZaplatyCzesciowej")


def _due(subject: Subject, due: DueTerm, path: str) -> None:
    issued = subject.invoice.issued_on
    if due.due_on is not None and due.due_on < issued and not subject.is_correction:
        subject.report(DUE_EARLY, f"{path}/Termin", due=due.due_on, issued=issued)
    stated = bool(due.count) + bool(due.unit) + bool(due.event)
    if 0 < stated < 3:
        subject.report(DUE_PARTLY, f"{path}/TerminOpis")


def _form(subject: Subject, payment: PaymentTerms) -> None:
    if payment.form is not None:
        if payment.description:
            subject.report(FORM_TWICE, f"{_PATH}/OpisPlatnosci")
        if (
            payment.form is PaymentForm.TRANSFER
            and payment.paid_on is None
            and not (payment.accounts or payment.factor_accounts or payment.paid_in_parts)
            and not subject.is_correction
            and not subject.invoice.annotations.split_payment
        ):
            subject.report(TRANSFER, f"{_PATH}/RachunekBankowy")
    if payment.link:
        _, mark, rest = payment.link.partition("IPKSeF=")
        if not mark:
            subject.report(LINK, f"{_PATH}/LinkDoPlatnosci")
        elif payment.ksef_payment_id and not rest.startswith(payment.ksef_payment_id):
            subject.report(LINK_ID, f"{_PATH}/IPKSeF", value=payment.ksef_payment_id)


def _settlement(subject: Subject, settlement: Settlement) -> None:
    path = "Faktura/Fa/Rozliczenie"
    charges = sum([one.amount for one in settlement.charges], ZERO)
    deductions = sum([one.amount for one in settlement.deductions], ZERO)
    for rule, name, stated, counted in (
        (CHARGES, "SumaObciazen", settlement.charges_total, charges),
        (DEDUCTIONS, "SumaOdliczen", settlement.deductions_total, deductions),
    ):
        if stated is not None and stated != counted:
            subject.report(rule, f"{path}/{name}", stated=stated, counted=counted)
    if settlement.to_pay is None:
        return
    if settlement.to_settle is not None:
        subject.report(TO_PAY_TWICE, f"{path}/DoRozliczenia")
    counted = subject.invoice.total + charges - deductions
    if settlement.to_pay != counted:
        subject.report(TO_PAY, f"{path}/DoZaplaty", stated=settlement.to_pay, counted=counted)

"""Marks of a line: GTU, procedures, OSS rate, annex 15, exchange rate."""

from __future__ import annotations

from core.invoices.model import InvoiceLine
from core.invoices.rules.rule import Subject, error, info, warning

GTU = error(
    "gtu-unknown",
    "TGTU: GTU_01 to GTU_13",
    "Pozycja {number} ma nieznane oznaczenie {value}.",
    "Line {number} has an unknown GTU code {value}.",
    "Popraw oznaczenie GTU produktu.",
    "Correct the product's GTU code.",
)
GTU_OSS = warning(
    "gtu-on-oss-line",
    "§ 10 ust. 3 of the JPK_V7 regulation",
    "Pozycja {number} ma oznaczenie {value}, choć sprzedaż OSS nie trafia do polskiej ewidencji VAT.",
    "Line {number} has {value}, but OSS sales do not enter the Polish VAT records.",
    "Usuń oznaczenie GTU.",
    "Remove the GTU code.",
)
PROCEDURE = error(
    "procedure-unknown",
    "TOznaczenieProcedury",
    "Pozycja {number} ma nieznane oznaczenie procedury {value}.",
    "Line {number} has an unknown procedure code {value}.",
    "Popraw oznaczenie procedury.",
    "Correct the procedure code.",
)
PROCEDURE_TAXED = warning(
    "procedure-on-polish-rate",
    "§ 10 ust. 4 pkt 2a of the JPK_V7 regulation",
    "Pozycja {number} ma procedurę WSTO_EE (opodatkowaną za granicą) i polską stawkę {rate}.",
    "Line {number} has the procedure WSTO_EE (taxed abroad) and the Polish rate {rate}.",
    "Usuń oznaczenie albo podaj stawkę kraju konsumpcji.",
    "Remove the code or state the rate of the country of consumption.",
)
OSS_PROCEDURE = info(
    "oss-line-without-procedure",
    "§ 10 ust. 4 pkt 2a of the JPK_V7 regulation",
    "Pozycja {number} ma stawkę OSS bez oznaczenia WSTO_EE ani IED.",
    "Line {number} has an OSS rate without the code WSTO_EE or IED.",
)
TWO_RATES = warning(
    "line-two-rates",
    "P_12, P_12_XII",
    "Pozycja {number} ma i stawkę {rate}, i stawkę OSS.",
    "Line {number} has both the rate {rate} and an OSS rate.",
    "Zostaw tylko jedną stawkę.",
    "Keep only one rate.",
)

_GTU = frozenset(f"GTU_{number:02}" for number in range(1, 14))
_PROCEDURES = frozenset(
    ("WSTO_EE", "IED", "TT_D", "I_42", "I_63", "B_SPV", "B_SPV_DOSTAWA", "B_MPV_PROWIZJA")
)
_OSS_PROCEDURES = ("WSTO_EE", "IED")


def check_marks(subject: Subject, index: int, line: InvoiceLine) -> None:
    """Check the marks that few lines have, and note those that other rules ask for."""
    path = f"Faktura/Fa/FaWiersz[{index}]"
    if line.annex_15:
        subject.has_annex_15 = True
    if line.exchange_rate is not None and line.exchange_rate != subject.exchange_rate:
        subject.exchange_rates += 1
        subject.exchange_rate = line.exchange_rate
    if line.gtu:
        if line.gtu not in _GTU:
            subject.report(GTU, f"{path}/GTU", number=line.number, value=line.gtu)
        elif line.oss_rate is not None:
            subject.report(GTU_OSS, f"{path}/GTU", number=line.number, value=line.gtu)
    procedure = line.procedure
    if procedure and procedure not in _PROCEDURES:
        subject.report(PROCEDURE, f"{path}/Procedura", number=line.number, value=procedure)
    if line.oss_rate is None:
        if procedure == "WSTO_EE" and line.category is not None and line.category.rate:
            subject.report(PROCEDURE_TAXED, f"{path}/Procedura", number=line.number, rate=line.category.value)
        return
    if procedure not in _OSS_PROCEDURES:
        subject.report(OSS_PROCEDURE, f"{path}/Procedura", number=line.number)
    if line.category is not None:
        subject.report(TWO_RATES, f"{path}/P_12", number=line.number, rate=line.category.value)

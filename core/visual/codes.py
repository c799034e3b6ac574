"""Words for coded values and for fields that are statements, Polish and English."""

from __future__ import annotations

from typing import Final

from core.findings import Text

CODES: Final[dict[str, dict[str, Text]]] = {
    "RodzajFaktury": {
        "VAT": Text("Faktura VAT", "VAT invoice"),
        "KOR": Text("Faktura korygująca", "Correcting invoice"),
        "ZAL": Text("Faktura zaliczkowa", "Advance invoice"),
        "ROZ": Text("Faktura rozliczeniowa", "Settlement invoice"),
        "UPR": Text("Faktura uproszczona", "Simplified invoice"),
        "KOR_ZAL": Text("Korekta faktury zaliczkowej", "Correction of an advance invoice"),
        "KOR_ROZ": Text("Korekta faktury rozliczeniowej", "Correction of a settlement invoice"),
    },
    "TypKorekty": {
        "1": Text("w dacie ujęcia faktury pierwotnej", "on the date of the original invoice"),
        "2": Text("w dacie wystawienia korekty", "on the date of the correction"),
        "3": Text("w innej dacie lub w różnych datach", "on another date or on several dates"),
    },
    "FormaPlatnosci": {
        "1": Text("gotówka", "cash"),
        "2": Text("karta", "card"),
        "3": Text("bon", "voucher"),
        "4": Text("czek", "cheque"),
        "5": Text("kredyt", "credit"),
        "6": Text("przelew", "bank transfer"),
        "7": Text("płatność mobilna", "mobile payment"),
    },
    "P_12": {
        "0": Text("0%", "0%"),
        "0 KR": Text("0% kraj", "0% domestic"),
        "0 WDT": Text("0% WDT", "0% intra-EU"),
        "0 EX": Text("0% eksport", "0% export"),
        "zw": Text("zw.", "exempt (zw)"),
        "oo": Text("oo", "reverse charge (oo)"),
        "np": Text("np.", "not taxable (np)"),
        "np I": Text("np. I", "not taxable (np I)"),
        "np II": Text("np. II", "not taxable (np II)"),
    },
    "StatusInfoPodatnika": {
        "1": Text("w likwidacji", "in liquidation"),
        "2": Text("w restrukturyzacji", "under restructuring"),
        "3": Text("w upadłości", "bankrupt"),
        "4": Text("przedsiębiorstwo w spadku", "enterprise in succession"),
    },
    "Rola": {
        "1": Text("Faktor", "Factor"),
        "2": Text("Odbiorca", "Recipient"),
        "3": Text("Podmiot pierwotny", "Original entity"),
        "4": Text("Dodatkowy nabywca", "Additional buyer"),
        "5": Text("Wystawca faktury", "Issuer of the invoice"),
        "6": Text("Dokonujący płatności", "Payer"),
        "7": Text("Jednostka samorządu terytorialnego – wystawca", "Local government unit – issuer"),
        "8": Text("Jednostka samorządu terytorialnego – odbiorca", "Local government unit – recipient"),
        "9": Text("Członek grupy VAT – wystawca", "VAT group member – issuer"),
        "10": Text("Członek grupy VAT – odbiorca", "VAT group member – recipient"),
        "11": Text("Pracownik", "Employee"),
    },
    "RolaPU": {
        "1": Text("Organ egzekucyjny", "Enforcement authority"),
        "2": Text("Komornik sądowy", "Court bailiff"),
        "3": Text("Przedstawiciel podatkowy", "Tax representative"),
    },
    "RachunekWlasnyBanku": {
        "1": Text("do rozliczeń nabywanych wierzytelności", "for settling purchased receivables"),
        "2": Text(
            "do pobrania należności i przekazania jej dostawcy",
            "for collecting dues on the supplier's behalf",
        ),
        "3": Text("gospodarki własnej banku", "for the bank's own business"),
    },
    "RodzajTransportu": {
        "1": Text("morski", "sea"),
        "2": Text("kolejowy", "rail"),
        "3": Text("drogowy", "road"),
        "4": Text("lotniczy", "air"),
        "5": Text("przesyłka pocztowa", "post"),
        "7": Text("stałe instalacje przesyłowe", "fixed installations"),
        "8": Text("żegluga śródlądowa", "inland waterway"),
    },
    "OpisLadunku": {
        "1": Text("bańka", "can (churn)"),
        "2": Text("beczka", "barrel"),
        "3": Text("butla", "cylinder"),
        "4": Text("karton", "carton"),
        "5": Text("kanister", "canister"),
        "6": Text("klatka", "cage"),
        "7": Text("kontener", "container"),
        "8": Text("kosz", "basket"),
        "9": Text("łubianka", "punnet"),
        "10": Text("opakowanie zbiorcze", "multipack"),
        "11": Text("paczka", "parcel"),
        "12": Text("pakiet", "bundle"),
        "13": Text("paleta", "pallet"),
        "14": Text("pojemnik", "receptacle"),
        "15": Text("pojemnik do ładunków masowych stałych", "bulk container, solids"),
        "16": Text("pojemnik do ładunków masowych płynnych", "bulk container, liquids"),
        "17": Text("pudełko", "box"),
        "18": Text("puszka", "tin"),
        "19": Text("skrzynia", "crate"),
        "20": Text("worek", "sack"),
    },
}

STATEMENTS: Final[dict[str, Text]] = {
    # art. 106e ust. 1 pkt 16, 17, 18, 18a, 19, 22-24 and ust. 2-3 of the VAT act name these words
    "P_16": Text("Metoda kasowa", "Cash accounting (metoda kasowa)"),
    "P_17": Text("Samofakturowanie", "Self-billing (samofakturowanie)"),
    "P_18": Text("Odwrotne obciążenie", "Reverse charge (odwrotne obciążenie)"),
    "P_18A": Text("Mechanizm podzielonej płatności", "Split payment (mechanizm podzielonej płatności)"),
    "P_22": Text(
        "Wewnątrzwspólnotowa dostawa nowych środków transportu", "Intra-EU supply of new means of transport"
    ),
    "P_42_5": Text(
        "Obowiązek złożenia informacji VAT-22 (art. 42 ust. 5 ustawy)",
        "VAT-22 statement due (art. 42 sec. 5)",
    ),
    "P_23": Text(
        "Procedura trójstronna uproszczona (art. 135–138 ustawy)",
        "Simplified triangular transaction (art. 135–138)",
    ),
    "P_PMarzy_2": Text(
        "Procedura marży dla biur podróży", "Margin scheme – travel agents (procedura marży dla biur podróży)"
    ),
    "P_PMarzy_3_1": Text(
        "Procedura marży – towary używane", "Margin scheme – second-hand goods (procedura marży)"
    ),
    "P_PMarzy_3_2": Text("Procedura marży – dzieła sztuki", "Margin scheme – works of art (procedura marży)"),
    "P_PMarzy_3_3": Text(
        "Procedura marży – przedmioty kolekcjonerskie i antyki",
        "Margin scheme – collectors' items and antiques (procedura marży)",
    ),
    "FP": Text("Faktura do paragonu (FP)", "Invoice to a fiscal receipt (FP)"),
    "TP": Text(
        "Powiązania między nabywcą a sprzedawcą (TP)", "The buyer and the seller are related parties (TP)"
    ),
    "ZwrotAkcyzy": Text(
        "Dla rolnika: zwrot podatku akcyzowego zawartego w cenie oleju napędowego",
        "For farmers: refund of excise in the price of diesel oil",
    ),
    "PodmiotPosredniczacy": Text(
        "Dostawa przez podmiot pośredniczący (art. 22 ust. 2d ustawy)",
        "Supply by an intermediary operator (art. 22 sec. 2d)",
    ),
}

EXEMPTIONS: Final[dict[str, Text]] = {
    "P_19A": Text("przepis ustawy", "provision of the act"),
    "P_19B": Text("przepis dyrektywy 2006/112/WE", "provision of directive 2006/112/EC"),
    "P_19C": Text("inna podstawa prawna", "other legal basis"),
}

RATES: Final[tuple[tuple[str, str, tuple[str, ...], Text], ...]] = (
    # net, tax, P_12 codes that fall into the sum, words when the lines do not tell the rate
    ("P_13_1", "P_14_1", ("23", "22"), Text("podstawowa", "standard")),
    ("P_13_2", "P_14_2", ("8", "7"), Text("obniżona pierwsza", "first reduced")),
    ("P_13_3", "P_14_3", ("5",), Text("5%", "5%")),
    ("P_13_4", "P_14_4", ("4", "3"), Text("ryczałt taksówek", "taxi lump sum")),
    ("P_13_5", "P_14_5", (), Text("procedura OSS", "OSS scheme")),
    ("P_13_6_1", "", (), Text("0% kraj", "0% domestic")),
    ("P_13_6_2", "", (), Text("0% WDT", "0% intra-EU supply")),
    ("P_13_6_3", "", (), Text("0% eksport", "0% export")),
    ("P_13_7", "", (), Text("zwolniona (zw.)", "exempt (zw)")),
    ("P_13_8", "", (), Text("poza terytorium kraju (np.)", "outside Poland (np)")),
    ("P_13_9", "", (), Text("usługi UE, art. 100 ust. 1 pkt 4", "EU services, art. 100 sec. 1 item 4")),
    ("P_13_10", "", (), Text("odwrotne obciążenie", "reverse charge")),
    ("P_13_11", "", (), Text("procedura marży", "margin scheme")),
)
"""The sums P_13_x/P_14_x in the order of the schema."""

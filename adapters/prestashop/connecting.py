"""How a PrestaShop shop is connected: a key of its webservice, made by hand."""

from __future__ import annotations

from typing import Final

from adapters.connecting import ConfigField, Connecting, FieldKind, Way
from adapters.prestashop.permissions import NAMES, needed
from core.findings import Text


def _ticks() -> str:
    """The permissions that a key needs, as the columns of the shop's page are called."""
    by_methods: dict[str, list[str]] = {}
    for collection, methods in needed(notes=True, state=False, time_zone=True).items():
        by_methods.setdefault(", ".join(NAMES[one] for one in sorted(methods)), []).append(collection)
    return "; ".join(f"{names}: {', '.join(sorted(found))}" for names, found in by_methods.items())


_LISTED = Text("Po przecinku, numery stanów.", "Ids of order states, separated by commas.")

CONNECTING: Final = Connecting(
    name="PrestaShop",
    address=Text(
        "Adres sklepu, taki jak w przeglądarce, bez /api.",
        "The shop's address as in a browser, without /api.",
    ),
    example="https://sklep.example",
    ways=(
        Way(
            "key",
            Text("Kluczem webservice", "By a key of the webservice"),
            (
                Text(
                    "W panelu sklepu otwórz Zaawansowane → API, w części Konfiguracja ustaw „Włącz API "
                    "PrestaShop: Tak” i zapisz.",
                    "In the shop's back office open Advanced Parameters → Webservice, set Enable "
                    "PrestaShop's webservice: Yes under Configuration, and save.",
                ),
                Text(
                    "Dodaj nowy klucz → Generuj!, opis KSeF Shop Connector, Status: Tak.",
                    "Add new webservice key → Generate!, description KSeF Shop Connector, status enabled.",
                ),
                Text(
                    f"Zaznacz uprawnienia i zapisz. {_ticks()}.",
                    f"Tick the permissions and save. {_ticks()}.",
                ),
                Text(
                    "Preferencje → Ruch: przyjazne adresy URL muszą być włączone.",
                    "Shop Parameters → Traffic & SEO: friendly URLs must be on.",
                ),
                Text(
                    "Zamówienia → Faktury: wyłącz własne faktury sklepu, żeby kupujący dostał jedną fakturę.",
                    "Orders → Invoices: turn the shop's own invoices off, so that a buyer gets one invoice.",
                ),
            ),
            (
                ConfigField(
                    "key",
                    Text("Klucz webservice", "Webservice key"),
                    Text("32 znaki.", "32 characters."),
                    kind=FieldKind.SECRET,
                    needed=True,
                ),
            ),
        ),
    ),
    options=(
        ConfigField(
            "private_note",
            Text("Wpisuj numer KSeF do notatki zamówienia", "Write the KSeF number into the order's note"),
            Text("Wyłącz w PrestaShop 1.7.", "Turn off in PrestaShop 1.7."),
            kind=FieldKind.SWITCH,
            default=True,
        ),
        ConfigField(
            "message_links",
            Text("Klikalne adresy w wiadomościach do kupujących", "Live links in messages to buyers"),
            Text(
                "Tylko gdy szablon sklepu pokazuje HTML w wiadomościach.",
                "Only where the shop's theme shows HTML in messages.",
            ),
            kind=FieldKind.SWITCH,
        ),
        ConfigField(
            "invoice_state",
            Text("Stan zamówienia z e-mailem o fakturze", "Order state with an e-mail about the invoice"),
            Text(
                "Numer stanu, który utworzysz w Preferencje → Zamówienia → Statusy; puste: bez stanu.",
                "Id of a state made in Shop Parameters → Order Settings → Statuses; empty: none.",
            ),
        ),
        ConfigField(
            "employee",
            Text("Pracownik, w którego imieniu są wiadomości", "Employee in whose name messages are"),
            Text("Numer; puste: 1.", "Id; empty: 1."),
        ),
        ConfigField(
            "prices",
            Text("Ceny sklepu", "The shop's prices"),
            kind=FieldKind.CHOICE,
            choices=(
                ("", Text("rozpoznaj z zamówień", "find out")),
                ("gross", Text("brutto", "gross")),
                ("net", Text("netto", "net")),
            ),
        ),
        ConfigField(
            "time_zone",
            Text("Strefa zegara sklepu", "Zone of the shop's clock"),
            Text(
                "Np. Europe/Warsaw; puste: sklep mówi ją sam.",
                "E.g. Europe/Warsaw; empty: the shop tells it.",
            ),
        ),
        ConfigField(
            "tax_id_fields",
            Text("Pola adresu z NIP", "Address fields with the tax number"),
            Text("Po przecinku, przed znanymi.", "Separated by commas, before the known ones."),
        ),
        ConfigField("paid_states", Text("Stany „zapłacone”", "States that mean paid"), _LISTED),
        ConfigField("completed_states", Text("Stany „wysłane lub wydane”", "States that mean sent"), _LISTED),
        ConfigField("cancelled_states", Text("Stany „anulowane”", "States that mean cancelled"), _LISTED),
        ConfigField(
            "refunded_states",
            Text("Stany „zwrócono wszystkie pieniądze”", "States that mean all money was given back"),
            _LISTED,
        ),
        ConfigField(
            "query_string_auth",
            Text("Klucz w adresie zapytania", "Key in the query"),
            Text(
                "Tylko dla serwerów, które gubią nagłówek Authorization; klucz trafia do ich dzienników.",
                "Only for hosts that drop the Authorization header; the key lands in their logs.",
            ),
            kind=FieldKind.SWITCH,
        ),
        ConfigField(
            "user_agent",
            Text("Nazwa programu (user agent)", "Program's name (user agent)"),
            Text("Gdy zapora przepuszcza tylko znane nazwy.", "When a firewall lets only known names pass."),
        ),
    ),
    signs=(("key", "key"),),
)

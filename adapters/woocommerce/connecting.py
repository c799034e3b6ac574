"""How a WooCommerce shop is connected: keys made by hand, or by consent in the shop (``wc-auth``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from adapters.connecting import ConfigField, Connecting, Consent, FieldKind, Way
from adapters.contract import ShopError, UnreadableEvent
from adapters.http import shop_url
from core.findings import Text

APP_NAME: Final = "KSeF Shop Connector"
_LONGEST_KEY = 200

_KEYS = Way(
    "keys",
    Text("Kluczem REST API", "By a REST API key"),
    (
        Text(
            "W WordPressie jako administrator otwórz WooCommerce → Ustawienia → Zaawansowane → REST API → "
            "Dodaj klucz.",
            "In WordPress, as an administrator, open WooCommerce → Settings → Advanced → REST API → Add key.",
        ),
        Text(
            "Opis: KSeF Shop Connector. Użytkownik: z rolą Kierownik sklepu lub Administrator. Uprawnienia: "
            "Odczyt/Zapis.",
            "Description: KSeF Shop Connector. User: a shop manager or administrator. Permissions: "
            "Read/Write.",
        ),
        Text(
            "Wybierz „Wygeneruj klucz API” i skopiuj klucz (ck_…) i sekret (cs_…): sklep pokazuje je raz.",
            "Choose Generate API key; copy the key (ck_…) and the secret (cs_…): they are shown once.",
        ),
        Text(
            "Ustawienia → Bezpośrednie odnośniki: cokolwiek poza „Prosty”.",
            "Settings → Permalinks: anything but Plain.",
        ),
    ),
    (
        ConfigField(
            "consumer_key",
            Text("Klucz (ck_…)", "Consumer key (ck_…)"),
            kind=FieldKind.SECRET,
            needed=True,
        ),
        ConfigField(
            "consumer_secret",
            Text("Sekret (cs_…)", "Consumer secret (cs_…)"),
            kind=FieldKind.SECRET,
            needed=True,
        ),
    ),
)
_AGREE = Way(
    "consent",
    Text("Jednym kliknięciem w sklepie", "By one click in the shop"),
    (
        Text(
            "Przejdziesz do swojego sklepu i zaloguj się jako administrator lub kierownik sklepu.",
            "You go to your shop; sign in as an administrator or shop manager.",
        ),
        Text(
            "WooCommerce pokaże, o co prosi KSeF Shop Connector. Wybierz „Zatwierdź”: sklep sam utworzy "
            "klucz z prawem odczytu i zapisu i przekaże go tutaj.",
            "WooCommerce shows what KSeF Shop Connector asks for. Choose Approve: the shop makes a key that "
            "may read and write, and hands it over.",
        ),
    ),
    (),
    by_consent=True,
)

CONNECTING: Final = Connecting(
    name="WooCommerce",
    address=Text(
        "Adres sklepu, taki jak w przeglądarce: z https i z www albo bez, jak używa go sam sklep.",
        "The shop's address as in a browser: https, and with or without www, as the shop itself uses it.",
    ),
    example="https://sklep.example",
    ways=(_KEYS, _AGREE),
    options=(
        ConfigField(
            "tax_id_fields",
            Text("Pola z NIP kupującego", "Fields with the buyer's tax number"),
            Text(
                "Klucze metadanych po przecinku, gdy wtyczka używa nietypowego; znane są znajdowane same.",
                "Metadata keys separated by commas, when a plugin uses an unusual one; known ones are found.",
            ),
        ),
        ConfigField(
            "paid_statuses",
            Text("Własne statusy „zapłacone”", "Own statuses that mean paid"),
            Text("Po przecinku.", "Separated by commas."),
        ),
        ConfigField(
            "completed_statuses",
            Text("Własne statusy „wysłane lub wydane”", "Own statuses that mean sent or handed over"),
            Text("Po przecinku.", "Separated by commas."),
        ),
        ConfigField(
            "query_string_auth",
            Text("Klucze w adresie zapytania", "Keys in the query"),
            Text(
                "Tylko dla serwerów, które gubią nagłówek Authorization; klucze trafiają do ich dzienników.",
                "Only for hosts that drop the Authorization header; the keys land in their logs.",
            ),
            kind=FieldKind.SWITCH,
        ),
        ConfigField(
            "user_agent",
            Text("Nazwa programu (user agent)", "Program's name (user agent)"),
            Text("Gdy zapora przepuszcza tylko znane nazwy.", "When a firewall lets only known names pass."),
        ),
    ),
    signs=(("consumer_key", "keys"),),
)


class WooConsent:
    """See :class:`adapters.connecting.Consent`; the shop posts the keys, then sends the browser back."""

    needs_https = True

    def address(self, config: Mapping[str, str], *, callback: str, state: str) -> str:
        """See :meth:`adapters.connecting.Consent.address`."""
        query = {
            "app_name": APP_NAME,
            "scope": "read_write",
            "user_id": state,
            "return_url": callback,
            "callback_url": callback,
        }
        return f"{shop_url(config.get('url', ''), '/wp-json')}/wc-auth/v1/authorize?{urlencode(query)}"

    def state_in(self, params: Mapping[str, str]) -> str:
        """See :meth:`adapters.connecting.Consent.state_in`."""
        return params.get("user_id", "")

    def delivered(self, body: bytes) -> tuple[str, dict[str, str]]:
        """See :meth:`adapters.connecting.Consent.delivered`."""
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            raise UnreadableEvent("the delivery is not JSON") from None
        if not isinstance(data, dict):
            raise UnreadableEvent("the delivery is no object")
        keys = {name: data.get(name) for name in ("consumer_key", "consumer_secret")}
        state = data.get("user_id")
        texts = {name: one for name, one in keys.items() if isinstance(one, str)}
        if len(texts) != len(keys) or not all(0 < len(one) <= _LONGEST_KEY for one in texts.values()):
            raise UnreadableEvent("the delivery holds no keys")
        return (str(state) if isinstance(state, str | int) else ""), texts

    def returned(
        self, config: Mapping[str, str], params: Mapping[str, str], *, state: str, now: datetime
    ) -> dict[str, str]:
        """See :meth:`adapters.connecting.Consent.returned`."""
        del state, now  # the caller found the installation by its state
        if params.get("success") != "1":
            raise ShopError(
                Text("w sklepie nie wyrażono zgody", "nobody agreed in the shop"),
                hint=Text("Zacznij jeszcze raz i wybierz „Zatwierdź”.", "Start again and choose Approve."),
            )
        keys = {name: config[name] for name in ("consumer_key", "consumer_secret") if config.get(name)}
        if len(keys) < 2:
            raise ShopError(
                Text("sklep nie przekazał kluczy", "the shop handed over no keys"),
                hint=Text(
                    "Zapora sklepu mogła zatrzymać połączenie z tym programem; podaj klucz ręcznie.",
                    "The shop's firewall may have stopped the connection to this program; enter a key.",
                ),
            )
        return keys


CONSENT: Final[Consent] = WooConsent()

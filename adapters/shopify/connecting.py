"""How a Shopify shop is connected: an app's own credentials, its installation, or an old token."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from adapters.connecting import ConfigField, Connecting, Consent, FieldKind, Way
from adapters.contract import UnreadableEvent
from adapters.shopify import oauth
from adapters.shopify.tokens import App
from core.findings import Text

_SCOPES = ", ".join(oauth.SCOPES)
_SECRET = ConfigField(
    "client_secret",
    Text("Client secret", "Client secret"),
    Text("Dev Dashboard → aplikacja → Settings.", "Dev Dashboard → the app → Settings."),
    kind=FieldKind.SECRET,
    needed=True,
)
_ID = ConfigField("client_id", Text("Client ID", "Client ID"), _SECRET.hint, needed=True)
_MAKE_APP = Text(
    f"Otwórz Dev Dashboard (dev.shopify.com) → Create app. Uprawnienia (scopes): {_SCOPES}. Potem Release.",
    f"Open the Dev Dashboard (dev.shopify.com) → Create app. Scopes: {_SCOPES}. Then Release.",
)
_PERSONAL = Text(
    "Poproś tam o Protected customer data (nazwisko, adres, e-mail, telefon), inaczej nabywcy są puści, "
    "a o read_all_orders, gdy potrzebne są zamówienia starsze niż 60 dni.",
    "Ask there for Protected customer data (name, address, email, phone), or buyers stay empty, and for "
    "read_all_orders where orders older than 60 days are needed.",
)
_OWN_APP = Way(
    "app",
    Text("Własną aplikacją tej samej organizacji", "By an app of the same organisation"),
    (
        _MAKE_APP,
        _PERSONAL,
        Text(
            "Zainstaluj aplikację w swoim sklepie; Settings pokazuje Client ID i Client secret.",
            "Install the app in your shop; Settings shows the client ID and the client secret.",
        ),
    ),
    (_ID, _SECRET),
)
_INSTALL = Way(
    "install",
    Text("Instalacją aplikacji (zgoda w sklepie)", "By installing an app (consent in the shop)"),
    (
        _MAKE_APP,
        _PERSONAL,
        Text(
            "W Settings aplikacji dopisz do Redirect URLs adres zwrotny pokazany na tej stronie.",
            "In the app's Settings add the callback address shown on this page to Redirect URLs.",
        ),
        Text(
            "Przejdziesz do sklepu i wybierzesz Install; token odnawia potem sam łącznik.",
            "You go to the shop and choose Install; the connector renews the token by itself.",
        ),
    ),
    (_ID, _SECRET),
    by_consent=True,
)
_TOKEN = Way(
    "token",
    Text("Tokenem aplikacji własnej sprzed 2026 roku", "By the token of a custom app made before 2026"),
    (
        Text(
            "Panel sklepu → Ustawienia → Aplikacje i kanały sprzedaży → Twórz aplikacje → aplikacja → "
            "Dane logowania API: token dostępu shpat_…. Nowych takich aplikacji już się nie zakłada.",
            "Shop admin → Settings → Apps and sales channels → Develop apps → the app → API credentials: the "
            "access token shpat_…. New apps of this kind cannot be made any more.",
        ),
    ),
    (
        ConfigField(
            "access_token",
            Text("Token dostępu (shpat_…)", "Access token (shpat_…)"),
            kind=FieldKind.SECRET,
            needed=True,
        ),
        ConfigField(
            "client_secret",
            Text("Sekret aplikacji", "The app's secret"),
            Text(
                "Bez niego webhooki nie są rejestrowane; zmiany są wtedy znajdowane przez pytanie.",
                "Without it webhooks are not registered; changes are found by asking then.",
            ),
            kind=FieldKind.SECRET,
        ),
    ),
)

CONNECTING: Final = Connecting(
    name="Shopify",
    address=Text(
        "Adres, który kończy się na myshopify.com (Ustawienia → Domeny), nie publiczna domena sklepu.",
        "The address that ends in myshopify.com (Settings → Domains), not the shop's public domain.",
    ),
    example="nazwa.myshopify.com",
    ways=(_OWN_APP, _INSTALL, _TOKEN),
    options=(
        ConfigField(
            "tax_id_fields",
            Text("Atrybuty lub metapola z NIP", "Attributes or metafields with the tax number"),
            Text("Po przecinku, przed znanymi miejscami.", "Separated by commas, before the known places."),
        ),
        ConfigField(
            "money",
            Text("Waluta faktur", "Currency of invoices"),
            kind=FieldKind.CHOICE,
            choices=(
                ("", Text("ta, którą widział i zapłacił kupujący", "what the buyer saw and paid")),
                ("shop", Text("waluta księgowa sklepu", "the shop's accounting currency")),
            ),
        ),
        ConfigField(
            "order_email",
            Text("E-mail Shopify o zamówieniu niesie nasz tekst", "Shopify's order e-mail carries our text"),
            Text(
                "Wypróbuj najpierw na jednym zamówieniu: Shopify przeznacza go dla zamówień do zapłaty.",
                "Try it on one order first: Shopify means it for orders that are still to be paid.",
            ),
            kind=FieldKind.SWITCH,
        ),
        ConfigField(
            "test_orders",
            Text("Fakturuj zamówienia z bramki testowej", "Invoice orders of the test gateway"),
            kind=FieldKind.SWITCH,
        ),
        ConfigField(
            "previous_client_secret",
            Text("Poprzedni client secret", "Former client secret"),
            Text(
                "Po zmianie sekretu: przez godzinę Shopify może jeszcze nim podpisywać.",
                "After a rotation: for an hour Shopify may still sign by it.",
            ),
            kind=FieldKind.SECRET,
        ),
    ),
    signs=(("refresh_token", "install"), ("access_token", "token"), ("client_id", "app")),
    given=frozenset({"access_token", "refresh_token", "access_token_expires_at"}),
)


class ShopifyConsent:
    """See :class:`adapters.connecting.Consent`: the authorization code grant."""

    needs_https = False

    def address(self, config: Mapping[str, str], *, callback: str, state: str) -> str:
        """See :meth:`adapters.connecting.Consent.address`."""
        return oauth.authorize_url(config.get("url", ""), config.get("client_id", ""), callback, state)

    def state_in(self, params: Mapping[str, str]) -> str:
        """See :meth:`adapters.connecting.Consent.state_in`."""
        return params.get("state", "")

    def delivered(self, body: bytes) -> tuple[str, dict[str, str]]:
        """See :meth:`adapters.connecting.Consent.delivered`; this platform posts nothing."""
        raise UnreadableEvent(f"nothing is posted here, and {len(body)} bytes came")

    def returned(
        self, config: Mapping[str, str], params: Mapping[str, str], *, state: str, now: datetime
    ) -> dict[str, str]:
        """See :meth:`adapters.connecting.Consent.returned`."""
        secrets = [config.get(name, "") for name in ("client_secret", "previous_client_secret")]
        code = oauth.check_callback(params, secrets, state=state, shop=config.get("url", ""), now=now)
        app = App(config.get("client_id", ""), config.get("client_secret", ""))
        return oauth.exchange_code(config.get("url", ""), app, code, clock=lambda: now).as_config()


CONSENT: Final[Consent] = ShopifyConsent()

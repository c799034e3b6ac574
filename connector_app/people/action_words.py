"""What the codes of the audit log mean, in words; a code without words is shown as it is."""

from __future__ import annotations

from core.findings import Text

GROUPS = {
    "account": Text("Konta i logowanie", "Accounts and sign-in"),
    "people": Text("Ludzie i role", "People and roles"),
    "document": Text("Dokumenty", "Documents"),
    "store": Text("Sklepy", "Stores"),
    "seller": Text("Sprzedawcy", "Sellers"),
    "proposal": Text("Poprawki od nabywców", "Corrections by buyers"),
    "alert": Text("Alarmy", "Alerts"),
    "installation": Text("Instalacja", "The installation"),
    "machine": Text("API i powiadomienia", "API and hooks"),
}
"""What codes begin with."""

_ACTIONS = {
    "account.first": Text("założył(a) pierwsze konto", "made the first account"),
    "account.sign-in": Text("zalogował(a) się", "signed in"),
    "account.locked": Text("konto zamknięte po złych próbach", "account locked after wrong tries"),
    "account.profile": Text("zmienił(a) swoje dane", "changed the own data"),
    "account.password": Text("zmienił(a) hasło", "changed the password"),
    "account.password-reset": Text("ustawił(a) nowe hasło z odnośnika", "set a new password by link"),
    "account.browser-ended": Text("wylogował(a) swoją przeglądarkę", "signed an own browser out"),
    "account.browsers-ended": Text("wylogował(a) inne przeglądarki", "signed other browsers out"),
    "account.second-factor-on": Text("włączył(a) drugi krok logowania", "switched the second step on"),
    "account.second-factor-off": Text("wyłączył(a) drugi krok logowania", "switched the second step off"),
    "account.recovery-codes": Text("zrobił(a) nowe kody zapasowe", "made new recovery codes"),
    "seller.numbers-check": Text("sprawdził(a) numery", "checked the numbers"),
    "people.invite": Text("zaprosił(a) osobę", "invited a person"),
    "people.invitation-cancel": Text("cofnął (cofnęła) zaproszenie", "took an invitation back"),
    "people.join": Text("przyjął (przyjęła) zaproszenie", "accepted an invitation"),
    "people.role": Text("zmienił(a) rolę", "changed a role"),
    "people.owner-on": Text("nadał(a) własność instalacji", "made an owner of the installation"),
    "people.owner-off": Text("odebrał(a) własność instalacji", "took the ownership of the installation"),
    "people.disable": Text("wyłączył(a) konto", "disabled an account"),
    "people.enable": Text("włączył(a) konto", "enabled an account"),
    "people.second-factor-off": Text(
        "wyłączył(a) komuś drugi krok logowania", "switched somebody's second step off"
    ),
    "alert.snooze": Text("poprosił(a) o ciszę o alarmie", "wanted no reminders of an alert"),
    "alert.wake": Text("poprosił(a) znów o przypomnienia", "wanted reminders again"),
    "alert.options": Text("zmienił(a) ustawienia alarmów", "changed the settings of alerts"),
    "alert.server": Text("zmienił(a) serwer poczty alarmów", "changed the mail server of alerts"),
    "alert.server-remove": Text(
        "usunął (usunęła) serwer poczty alarmów", "removed the mail server of alerts"
    ),
    "alert.test": Text("wysłał(a) próbę alarmu", "sent a trial of alerts"),
    "installation.backup": Text("zrobił(a) kopię zapasową", "made a backup"),
    "installation.keeping": Text("zmienił(a) kopie i przechowywanie", "changed backups and keeping"),
    "installation.restore": Text(
        "odtworzył(a) instalację z kopii", "restored the installation from a backup"
    ),
    "document.delete-expired": Text(
        "usunął (usunęła) dokument po terminie", "deleted a document of long ago"
    ),
    "people.reset-link": Text("zrobił(a) odnośnik do nowego hasła", "made a link to a new password"),
}


def action_text(action: str) -> Text:
    """A code of the audit log in words."""
    return _ACTIONS.get(action) or Text(action, action)

"""Errors that can come out of any command, in words: files, database, secrets, shops, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector_app.commands.app import BadInput, Failure
from connector_app.commands.files import reason_of
from core.findings import Text

if TYPE_CHECKING:
    from adapters.contract import ShopError
    from core.ksef.errors import KsefError

_KEY_HINTS = {
    "UnreadableKeyError": Text(
        "Podaj certyfikat i klucz w PEM (--certificate, --key) albo plik PKCS#12 (--p12).",
        "Give certificate and key in PEM (--certificate, --key), or a PKCS#12 file (--p12).",
    ),
    "WrongPasswordError": Text(
        "Zapisz hasło w pliku i podaj go: --password-file PLIK.",
        "Put the password into a file and name it: --password-file FILE.",
    ),
}
"""What to do on the command line where that is more than :data:`connector_app.plain_words` knows."""

_LOCKED = Text(
    "Zapisanego hasła lub klucza nie da się odszyfrować: plik secret.key jest inny niż dawniej.",
    "A stored secret cannot be decrypted: secret.key is another file than it was.",
)
_SCHEMA_DIR = Text(
    "KSEF_SCHEMA_DIR ma wskazywać folder z plikami XSD Ministerstwa; bez niej działają schematy programu.",
    "KSEF_SCHEMA_DIR has to name the folder with the Ministry's XSD files; unset, the program uses its own.",
)
_RESTORE_KEY = Text("Przywróć secret.key z kopii zapasowej.", "Restore secret.key from the backup.")


def explain(error: Exception, language: str) -> Failure | None:
    """The failure to show for an error, or ``None`` when it is an error of the program itself.

    Args:
        error: what came out of a command.
        language: ``pl`` or ``en``.
    """
    from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError  # noqa: PLC0415  needed in trouble only

    from adapters.contract import ShopError  # noqa: PLC0415
    from connector_app.keeping.reading import ArchiveDamaged  # noqa: PLC0415
    from connector_app.store.trouble import UnusableDatabase, hint_for, trouble  # noqa: PLC0415
    from connector_app.vault import VaultLocked  # noqa: PLC0415
    from core.fa.schema import SchemaUnavailable  # noqa: PLC0415
    from core.ksef.errors import KsefError  # noqa: PLC0415
    from core.signing.keys import KeyMaterialError  # noqa: PLC0415

    failure: Failure | None = None
    if isinstance(error, OSError):
        why = reason_of(error).in_language(language)
        failure = Failure(f"{error.filename}: {why}." if error.filename else f"{why}.")
    elif isinstance(error, DBAPIError | ArgumentError | NoSuchModuleError | UnusableDatabase):
        failure = _database(trouble(error), hint_for(error), language)
    elif isinstance(error, KeyMaterialError):
        failure = key_failure(error, language)
    elif isinstance(error, ArchiveDamaged):
        failure = Failure(error.text.in_language(language), error.hint.in_language(language))
    elif isinstance(error, VaultLocked):
        failure = Failure(_LOCKED.in_language(language), _RESTORE_KEY.in_language(language))
    elif isinstance(error, SchemaUnavailable):
        said = Text(f"Schematu nie da się użyć: {error}.", f"The schema cannot be used: {error}.")
        failure = Failure(said.in_language(language), _SCHEMA_DIR.in_language(language))
    elif isinstance(error, ShopError):
        failure = Failure(*shop_words(error, language))
    elif isinstance(error, KsefError):
        failure = ksef_failure(error, language)
    return failure


def shop_words(error: ShopError, language: str) -> tuple[str, str]:
    """What a shop's error says, and what to do about it, in the screen language."""
    return error.said.in_language(language), error.advice.in_language(language)


def ksef_failure(error: KsefError, language: str) -> Failure:
    """What KSeF refused or failed at, in its own words where it gave any, with what to do about it."""
    from connector_app.plain_words import ksef_words  # noqa: PLC0415
    from core.ksef.errors import KsefRefused  # noqa: PLC0415

    kind = BadInput if isinstance(error, KsefRefused) else Failure
    return kind(ksef_words(error).in_language(language), error.hint.in_language(language))


def key_failure(error: Exception, language: str) -> BadInput:
    """A key or certificate that cannot be used, with what to do about it."""
    from connector_app.plain_words import key_words  # noqa: PLC0415

    said, usual = key_words(error)
    hint = _KEY_HINTS.get(type(error).__name__, usual)
    return BadInput(said.in_language(language), hint.in_language(language))


def _database(said: Text, hint: Text | None, language: str) -> Failure:
    hint = hint or Text(
        "Sprawdź uprawnienia i miejsce na dysku oraz zmienne KSEF_CONNECTOR_HOME i DATABASE_URL; "
        "uszkodzoną bazę przywróć z kopii zapasowej.",
        "Check permissions, disk space, KSEF_CONNECTOR_HOME and DATABASE_URL; "
        "restore a damaged database from its backup.",
    )
    return Failure(said.in_language(language), hint.in_language(language))

"""What is wrong with a database, in words for a person and with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.findings import Text


class UnusableDatabase(SQLAlchemyError):
    """A database that this version of the program must not touch, or cannot.

    Attributes:
        text: why.
        hint: what to do about it; ``None`` when the text says it.
        orig: the text in English, where errors of the database itself carry the driver's words.
    """

    def __init__(self, text: Text, hint: Text | None = None) -> None:
        super().__init__(text.en)
        self.text = text
        self.hint = hint
        self.orig = text.en


@dataclass(frozen=True, slots=True)
class _Known:
    """One kind of trouble.

    Attributes:
        states: SQLSTATE codes that PostgreSQL gives it.
        words: what the drivers call it; before a server has let us in, it says so in words only, and in its
            own language.
    """

    said: Text
    hint: Text | None = None
    states: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


WAS_MOVED = "this database was moved"
"""What tables of a moved database say, see :mod:`connector_app.store.moved`."""

HOW_TO_MAKE_ONE = Text(
    "Utwórz ją: createdb --template=template0 --encoding=UTF8 --locale=C NAZWA",
    "Make it: createdb --template=template0 --encoding=UTF8 --locale=C NAME",
)
"""What a database of PostgreSQL has to be like."""

_AT_THE_SERVER = Text(
    "Sprawdź DATABASE_URL (adres i port) i czy serwer PostgreSQL działa.",
    "Check DATABASE_URL (address and port) and that the PostgreSQL server is running.",
)
_KNOWN = (
    _Known(
        Text("została przeniesiona, nic się w niej nie zmienia", "it was moved, nothing changes in it"),
        Text("Zatrzymaj ten proces i ustaw DATABASE_URL.", "Stop this process and set DATABASE_URL."),
        words=(WAS_MOVED,),
    ),
    _Known(
        Text("brak miejsca na dysku", "no space left on the disk"),
        Text(
            "Zwolnij miejsce na dysku bazy danych; praca pójdzie dalej sama.",
            "Free space on the database's disk; work goes on by itself.",
        ),
        states=("53100",),
        words=("disk is full", "No space left on device", "Brak miejsca na urządzeniu"),
    ),
    _Known(
        Text("serwer ma zbyt wiele połączeń", "the server has too many connections"),
        Text(
            "Zwiększ max_connections w PostgreSQL albo uruchom mniej procesów.",
            "Raise max_connections of PostgreSQL, or run fewer processes.",
        ),
        states=("53300",),
        words=(
            "too many clients",
            "remaining connection slots",
            "too many connections",
            "zbyt wielu klientów",
            "zbyt wiele połączeń",
        ),
    ),
    _Known(
        Text(
            "serwer nie przyjął nazwy użytkownika lub hasła", "the server refused the user name or password"
        ),
        Text(
            "Sprawdź użytkownika i hasło w DATABASE_URL oraz pg_hba.conf serwera.",
            "Check user and password in DATABASE_URL, and the server's pg_hba.conf.",
        ),
        states=("28P01", "28000"),
        words=(
            "authentication failed",
            "no password supplied",
            "no pg_hba.conf entry",
            "hasłem nie powiod",
            "brak wpisu w pg_hba.conf",
        ),
    ),
    _Known(
        Text("na serwerze nie ma takiej bazy", "the server has no database of this name"),
        HOW_TO_MAKE_ONE,
        states=("3D000",),
    ),
    _Known(
        Text("serwera nie ma pod tym adresem", "the server does not answer at this address"),
        _AT_THE_SERVER,
        words=(
            "Connection refused",
            "Połączenie odrzucone",
            "failed to resolve host",
            "could not translate host name",
            "timeout expired",
            "connection timeout",
            "No route to host",
            "Network is unreachable",
            "No such file or directory",
        ),
    ),
    _Known(
        Text("serwer zamknął połączenie", "the server closed the connection"),
        _AT_THE_SERVER,
        states=("57P01", "57P02", "57P03", "25P03", "08006", "08003", "08000"),
        words=(
            "server closed the connection",
            "connection is closed",
            "connection is lost",
            "connection is bad",
            "terminating connection",
        ),
    ),
    _Known(
        Text("używa jej zbyt długo inny program", "another program keeps it busy"),
        states=("55P03", "40P01"),
        words=("locked",),
    ),
    _Known(Text("odpowiada zbyt długo", "it takes too long to answer"), states=("57014",)),
    _Known(
        Text("jest tylko do odczytu", "it is read-only"), states=("25006",), words=("readonly", "read-only")
    ),
    _Known(
        Text("użytkownikowi bazy brakuje uprawnień", "the database's user lacks rights"),
        Text(
            "Użytkownik z DATABASE_URL ma być właścicielem bazy i jej schematu public.",
            "The user in DATABASE_URL has to own the database and its schema public.",
        ),
        states=("42501",),
    ),
    _Known(Text("nie można otworzyć jej pliku", "its file cannot be opened"), words=("unable to open",)),
    _Known(
        Text("plik jest uszkodzony", "its file is damaged"),
        states=("XX001", "XX002", "58030"),
        words=("malformed",),
    ),
    _Known(Text("plik nie jest bazą danych", "its file is no database"), words=("not a database",)),
)
_BAD_ADDRESS = Text(
    "adres w DATABASE_URL jest nie do odczytania", "the address in DATABASE_URL cannot be read"
)
_ADDRESS_HINT = Text(
    "Wzór: postgresql://użytkownik:hasło@serwer:5432/baza; znaki specjalne hasła zapisz jako %XX.",
    "The form: postgresql://user:password@server:5432/database; special characters of the password as %XX.",
)
_ALL_BUSY = Text("wszystkie połączenia tego procesu są zajęte", "all connections of this process are in use")


def trouble(error: SQLAlchemyError) -> Text:
    """What is wrong with the database, for a person: never a statement, never a value, never a password."""
    if isinstance(error, UnusableDatabase):
        return error.text
    why = _why(error)
    return Text(f"Baza danych: {why.pl}.", f"The database: {why.en}.")


def hint_for(error: SQLAlchemyError) -> Text | None:
    """What to do about it, where more is known than :func:`trouble` says."""
    if isinstance(error, UnusableDatabase):
        return error.hint
    if isinstance(error, ArgumentError | NoSuchModuleError):
        return _ADDRESS_HINT
    known = _known(error)
    return known.hint if known else None


def _why(error: SQLAlchemyError) -> Text:
    if isinstance(error, ArgumentError | NoSuchModuleError):
        return _BAD_ADDRESS
    if isinstance(error, PoolTimeout):
        return _ALL_BUSY
    known = _known(error)
    if known is not None:
        return known.said
    original = getattr(error, "orig", None)
    state = getattr(original, "sqlstate", None)
    # words of PostgreSQL quote values of rows
    raw = f"{type(original).__name__} {state}" if state else str(original or type(error).__name__)
    return Text(raw, raw)


def _known(error: SQLAlchemyError) -> _Known | None:
    original = getattr(error, "orig", None)
    state = getattr(original, "sqlstate", None)
    raw = str(original or "")
    if state and WAS_MOVED not in raw:
        return next((one for one in _KNOWN if state in one.states), None)
    found = next((one for one in _KNOWN if any(word in raw for word in one.words)), None)
    if found is None and _names_a_missing_database(raw):
        return next(one for one in _KNOWN if "3D000" in one.states)
    return found


def _names_a_missing_database(raw: str) -> bool:
    return ('database "' in raw and "does not exist" in raw) or (
        'baza danych "' in raw and "nie istnieje" in raw
    )

"""What letters about alerts say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connector_app.alerts.condition import moment
from connector_app.alerts.telling import What
from connector_app.hooks.happenings import Links
from core.findings import Text

_INSTALLATION = Text("Cała instalacja", "The whole installation")
_HEADS = {
    What.OPENED: Text("Nowe", "New"),
    What.REMINDER: Text("Trwa nadal", "Still going on"),
    What.CLOSED: Text("Zakończone", "Over"),
}
_FOOT = Text(
    "Wiadomość wysłał łącznik KSeF. Komu i o czym pisze, ustawia właściciel instalacji: Ustawienia, Alarmy.",
    "Sent by the KSeF connector. Its owner sets whom it writes of what: Settings, Alerts.",
)
_PAGE = Text("Wszystkie alarmy", "All alerts")


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert in a letter.

    Attributes:
        what: whether it is new. seller: whose, in words; empty: the installation's.
        said, hint: what is wrong and what to do. severity: of it. since: its beginning.
        closed_at: its end.
    """

    what: What
    seller: str
    said: Text
    hint: Text
    severity: str
    since: datetime
    closed_at: datetime | None


def subject_of(entries: Sequence[Entry], language: str) -> str:
    """The subject: what there is, in numbers; one alone is told as it is."""
    if len(entries) == 1:
        one = entries[0]
        head = _HEADS[one.what].in_language(language)
        return f"KSeF: {head}: {one.said.in_language(language)}"[:150]
    counts = {what: sum(one.what is what for one in entries) for what in What}
    parts = [f"{_HEADS[what].in_language(language)}: {count}" for what, count in counts.items() if count]
    return Text("Alarmy KSeF. ", "KSeF alerts. ").in_language(language) + ", ".join(parts)


def body_of(entries: Sequence[Entry], language: str, links: Links) -> str:
    """The text: what is new, what goes on, what is over, by seller."""
    lines: list[str] = []
    for what in What:
        chosen = [one for one in entries if one.what is what]
        if not chosen:
            continue
        lines += [f"{_HEADS[what].in_language(language).upper()}", ""]
        for seller in dict.fromkeys(one.seller for one in chosen):
            lines += [f"{seller or _INSTALLATION.in_language(language)}", ""]
            for one in chosen:
                if one.seller == seller:
                    lines += [*_lines(one, language), ""]
    if links.base:
        lines += [f"{_PAGE.in_language(language)}: {links.base}/alerts", ""]
    lines.append(_FOOT.in_language(language))
    return "\n".join(lines)


def _lines(one: Entry, language: str) -> list[str]:
    said = one.said.in_language(language)
    if one.closed_at is not None:
        over = Text(
            f"Trwało od {moment(one.since)} do {moment(one.closed_at)}.",
            f"From {moment(one.since)} to {moment(one.closed_at)}.",
        )
        return [f"- {said}", f"  {over.in_language(language)}"]
    return [f"- {said}", f"  {one.hint.in_language(language)}"]

"""What KSeF asks of a document's bytes before it looks at the schema.

Source: "Weryfikacja faktury" in the integrators' documentation of KSeF 2.0: UTF-8 without byte order mark,
no other encoding in the prolog, no processing instructions, no discouraged characters (XML 1.0, section
2.2), at most 1 000 000 bytes, or 3 000 000 with an attachment. :func:`core.fa.schema.parse` does the rest.
"""

from __future__ import annotations

import codecs
import itertools
import re
from collections.abc import Iterator
from typing import Final

from core.findings import Finding, Severity, Text

MAX_BYTES: Final = 1_000_000
"""Largest document without an attachment, in bytes."""

MAX_BYTES_WITH_ATTACHMENT: Final = 3_000_000
"""Largest document with ``Zalacznik``, in bytes."""

MOST: Final = 20
"""At most this many faults of one kind are listed one by one."""

_SOURCE: Final = "KSeF 2.0: weryfikacja faktury"

_DISCOURAGED: Final = re.compile(
    "[\x7f-\x84\x86-\x9f\ufdd0-\ufdef"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)
_LEADING: Final = bytes((0x7F, 0xC2, 0xEF, *range(0xF0, 0xF5)))
_HARMLESS: Final = bytes(set(range(256)) - set(_LEADING))
_DISCOURAGED_BYTES: Final = re.compile(
    rb"[\x7f\xc2\xef\xf0-\xf4](?:(?<=\x7f)|(?<=\xc2)[\x80-\x84\x86-\x9f]|(?<=\xef)\xb7[\x90-\xaf]"
    rb"|(?<=\xef)\xbf[\xbe\xbf]|(?<=[\xf0-\xf4])[\x8f\x9f\xaf\xbf]\xbf[\xbe\xbf])"
)
"""The same characters in UTF-8, and the bytes with which they begin and those with which they do not.

A megabyte of text is 0.3 ms for ``bytes.translate`` and 4 ms for this pattern, but 40 ms for the pattern of
characters; Polish letters begin with C3, C4 or C5, so most documents end at the first.
"""

_DECLARATION: Final = re.compile(r"<\?xml\s(?P<body>[^>]*?)\?>")
_PSEUDO_ATTRIBUTE: Final = re.compile(r"(version|encoding)\s*=\s*[\"']([^\"']*)[\"']")
_MARKUP: Final = re.compile(
    r"<!--(?:.*?-->|.*)|<!\[CDATA\[(?:.*?\]\]>|.*)"
    r"|(?P<instruction><\?(?P<target>[^\s?>]*))"
    r"|(?P<doctype><!DOCTYPE)"
    r"|(?P<reference>&\#(?:x(?P<hex>[0-9A-Fa-f]{1,8})|(?P<decimal>[0-9]{1,10}));)",
    re.DOTALL,
)
"""Comments and CDATA sections are matched so that what looks like markup inside them is passed over; one
that never ends takes all the rest, so that a hostile file costs no more than a good one."""


def check_bytes(data: bytes, *, with_attachment: bool = False) -> list[Finding]:
    """Check a document's bytes by KSeF's rules that no schema expresses.

    Args:
        data: the whole file.
        with_attachment: the document has ``Zalacznik`` and may be three times as large.

    Returns:
        Errors with codes ``bytes-...``; none for a file that KSeF reads on. When the bytes are not UTF-8
        nothing further about their text is said.
    """
    findings = [*_size(data, with_attachment)]
    body = data
    if data.startswith(codecs.BOM_UTF8):
        findings.append(
            _error(
                "bytes-bom",
                1,
                "Plik zaczyna się od znacznika kolejności bajtów (BOM).",
                "The file begins with a byte order mark (BOM).",
                Text("Zapisz plik w UTF-8 bez BOM.", "Save the file as UTF-8 without BOM."),
            )
        )
        body = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        return [*findings, _not_utf8(body, error)]
    findings.extend(_declaration(text))
    if _may_have_markup(body):
        findings.extend(_markup(text))
    if body.translate(None, _HARMLESS) and _DISCOURAGED_BYTES.search(body):
        findings.extend(_characters(text))
    return findings


def _may_have_markup(body: bytes) -> bool:
    """Whether a search is worth it: one rare byte is found ten times faster than a pair with ``<``."""
    inside = body.find(b"?>") + 2 if body.startswith(b"<?xml") else 0
    return (
        (body.find(b"?", inside) >= 0 and body.find(b"<?", inside) >= 0)
        or (b"!" in body and b"<!DOCTYPE" in body)
        or (b"#" in body and b"&#" in body)
    )


def _size(data: bytes, with_attachment: bool) -> Iterator[Finding]:
    limit = MAX_BYTES_WITH_ATTACHMENT if with_attachment else MAX_BYTES
    if len(data) > limit:
        yield _error(
            "bytes-too-large",
            None,
            f"Plik ma {_grouped(len(data))} bajtów, a może mieć najwyżej {_grouped(limit)}.",
            f"The file has {_grouped(len(data))} bytes; at most {_grouped(limit)} are allowed.",
            Text("Podziel sprzedaż na kilka faktur.", "Split the sale into several invoices."),
        )


def _not_utf8(data: bytes, error: UnicodeDecodeError) -> Finding:
    line = data.count(b"\n", 0, error.start) + 1
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    pl, en = (
        ("Plik jest zapisany w UTF-16, a nie w UTF-8.", "The file is in UTF-16, not UTF-8.")
        if utf16
        else (
            f"Plik nie jest zapisany w UTF-8: bajt 0x{data[error.start]:02X} na pozycji {error.start}.",
            f"The file is not in UTF-8: invalid byte 0x{data[error.start]:02X} at position {error.start}.",
        )
    )
    return _error(
        "bytes-not-utf8", line, pl, en, Text("Zapisz plik w UTF-8 bez BOM.", "Save it as UTF-8 without BOM.")
    )


def _declaration(text: str) -> Iterator[Finding]:
    """Faults of the XML declaration: another encoding, another version of XML."""
    declaration = _DECLARATION.match(text)
    if declaration is None:
        return
    given = dict(_PSEUDO_ATTRIBUTE.findall(declaration["body"]))
    encoding = given.get("encoding", "UTF-8")
    if encoding.upper() != "UTF-8":
        yield _error(
            "bytes-encoding-declaration",
            1,
            f"Prolog podaje kodowanie {encoding[:40]}, a dozwolone jest tylko UTF-8.",
            f"The prolog declares the encoding {encoding[:40]}; only UTF-8 is allowed.",
            Text('Wpisz encoding="UTF-8" albo usuń prolog.', 'Write encoding="UTF-8" or drop the prolog.'),
        )
    version = given.get("version", "1.0")
    if version != "1.0":
        yield _error(
            "bytes-xml-version",
            1,
            f"Prolog podaje wersję XML {version[:10]}, a dozwolona jest tylko 1.0.",
            f"The prolog declares XML version {version[:10]}; only 1.0 is allowed.",
        )


def _markup(text: str) -> Iterator[Finding]:
    """Processing instructions, a DOCTYPE, references to discouraged characters; the first :data:`MOST`."""
    return itertools.islice(_all_markup(text), MOST)


def _all_markup(text: str) -> Iterator[Finding]:
    for met in _MARKUP.finditer(text):
        if met["doctype"]:
            yield _error(
                "bytes-doctype",
                _line(text, met.start()),
                "Plik zawiera deklarację DOCTYPE, której faktura mieć nie może.",
                "The file has a DOCTYPE declaration, which an invoice must not have.",
            )
        elif met["instruction"] and not (met["target"] == "xml" and met.start() == 0):
            yield _error(
                "bytes-processing-instruction",
                _line(text, met.start()),
                f"Plik zawiera instrukcję przetwarzania <?{met['target'][:40]}?>, a są one niedozwolone.",
                f"The file has a processing instruction <?{met['target'][:40]}?>; these are not allowed.",
                Text("Usuń tę instrukcję.", "Remove the instruction."),
            )
        elif met["reference"]:
            code = int(met["hex"], 16) if met["hex"] else int(met["decimal"])
            if code < 0x110000 and _DISCOURAGED.match(chr(code)):
                yield _character(code, _line(text, met.start()))


def _characters(text: str) -> Iterator[Finding]:
    """Discouraged characters, the first :data:`MOST` one by one."""
    line, since, count = 1, 0, 0
    for met in _DISCOURAGED.finditer(text):
        count += 1
        if count <= MOST:
            line += text.count("\n", since, met.start())
            since = met.start()
            yield _character(ord(met[0]), line)
    if count > MOST:
        yield Finding(
            "bytes-more-discouraged-characters",
            Severity.INFO,
            "",
            Text(
                f"Niedozwolonych znaków jest więcej: {count - MOST}.",
                f"There are more discouraged characters: {count - MOST}.",
            ),
            source=_SOURCE,
        )


def _character(code: int, line: int) -> Finding:
    return _error(
        "bytes-discouraged-character",
        line,
        f"Plik zawiera niedozwolony znak U+{code:04X}.",
        f"The file contains the discouraged character U+{code:04X}.",
        Text(
            "Usuń ten niewidoczny znak z tekstu, z którego powstała faktura (nazwy, adresu lub opisu).",
            "Remove this invisible character from the text of the invoice (a name, an address or a note).",
        ),
    )


def _error(code: str, line: int | None, pl: str, en: str, hint: Text | None = None) -> Finding:
    return Finding(code, Severity.ERROR, "", Text(pl, en), hint or Text("", ""), _SOURCE, line)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")

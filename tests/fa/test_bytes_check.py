"""What KSeF asks of a document's bytes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from core.fa.bytes_check import MAX_BYTES, MAX_BYTES_WITH_ATTACHMENT, MOST, check_bytes
from core.findings import Severity

DISCOURAGED = [
    *range(0x7F, 0x85),
    *range(0x86, 0xA0),
    *range(0xFDD0, 0xFDF0),
    *(plane << 16 | low for plane in range(17) for low in (0xFFFE, 0xFFFF)),
]
"""The characters that the documentation of KSeF lists, one by one."""


def codes(data: bytes | str, *, with_attachment: bool = False) -> list[str]:
    raw = data.encode() if isinstance(data, str) else data
    return [finding.code for finding in check_bytes(raw, with_attachment=with_attachment)]


@pytest.mark.parametrize(
    "text",
    [
        "<a/>",
        '<?xml version="1.0" encoding="UTF-8"?><a/>',
        "<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<a>zażółć gęślą jaźń</a>",
        '<?xml version="1.0"?><a/>',
        "<a>\x85\xa0\u00a7 \ufdcf\ufdf0 \ufffd \U0001f600 \U0001fffd &#10; &#x85; &amp;</a>",
        "<!-- <?pi?> <!DOCTYPE a> &#x80; --><a><![CDATA[<?pi?> <!DOCTYPE a> &#x80;]]></a>",
        "",
    ],
)
def test_allowed(text: str) -> None:
    """A document within the rules has no finding; markup inside comments and CDATA is only text."""
    assert codes(text) == []


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"\xef\xbb\xbf<a/>", "bytes-bom", 1),
        ("<a/>".encode("utf-16"), "bytes-not-utf8", 1),
        ("<a>\nzażółć</a>".encode("iso-8859-2"), "bytes-not-utf8", 2),
        (b"<a>\n\n\xed\xa0\x80</a>", "bytes-not-utf8", 3),
        (b"<a>\xc0\xaf</a>", "bytes-not-utf8", 1),
        (b"<?xml version='1.0' encoding='ISO-8859-2'?><a/>", "bytes-encoding-declaration", 1),
        (b"<?xml version='1.0' encoding = \"UTF-16\"?><a/>", "bytes-encoding-declaration", 1),
        (b"<?xml version='1.1' encoding='UTF-8'?><a/>", "bytes-xml-version", 1),
        (b"<?xml version='1.0'?>\n<?xml-stylesheet href='a.xsl'?>\n<a/>", "bytes-processing-instruction", 2),
        (b"<?php x ?><a/>", "bytes-processing-instruction", 1),
        (b"<a>\n<b/><?x?></a>", "bytes-processing-instruction", 2),
        (b"<a/>\n\n<?x y?>", "bytes-processing-instruction", 3),
        (b"\n<?xml version='1.0'?><a/>", "bytes-processing-instruction", 2),
        (b"<!DOCTYPE a>\n<a/>", "bytes-doctype", 1),
        (b"<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY e 'x'>]>\n<a/>", "bytes-doctype", 2),
        (b"<a>\n&#x80;</a>", "bytes-discouraged-character", 2),
        (b"<a b='&#127;'/>", "bytes-discouraged-character", 1),
        ("<a>\n\n<b>x\ufdd0</b></a>".encode(), "bytes-discouraged-character", 3),
        ("<a><!-- \x80 --></a>".encode(), "bytes-discouraged-character", 1),
        (b"<a><![CDATA[\x7f]]></a>", "bytes-discouraged-character", 1),
    ],
)
def test_forbidden(data: bytes, code: str, line: int) -> None:
    """Each rule has its own code, names the line, and speaks both languages."""
    (finding,) = check_bytes(data)
    assert (finding.code, finding.line, finding.severity) == (code, line, Severity.ERROR)
    assert finding.message.pl
    assert finding.message.en
    assert finding.source


def test_every_discouraged_character_is_found() -> None:
    """All 98 listed characters are found, as themselves and by reference, with their code point."""
    assert len(DISCOURAGED) == 98
    for code in DISCOURAGED:
        for text in (f"<a>{chr(code)}</a>", f"<a>&#x{code:x};</a>", f"<a>&#{code};</a>"):
            (finding,) = check_bytes(text.encode())
            assert finding.code == "bytes-discouraged-character"
            assert f"U+{code:04X}" in finding.message.pl


def test_no_other_character_is_found() -> None:
    """Every other character of Unicode passes."""
    forbidden = set(DISCOURAGED)
    others = "".join(
        chr(code) for code in range(0x110000) if code not in forbidden and not 0xD800 <= code < 0xE000
    )
    size = 200_000
    for start in range(0, len(others), size):
        assert codes(others[start : start + size].replace("<", "").replace("&", "")) == []


def test_each_character_has_its_line_and_the_rest_is_counted() -> None:
    """Up to twenty characters are told with their lines, then comes a count."""
    found = check_bytes("<a>\n\x80\n\ufdd0\x7f</a>".encode())
    assert [(finding.line, finding.message.en[-7:-1]) for finding in found] == [
        (2, "U+0080"),
        (3, "U+FDD0"),
        (3, "U+007F"),
    ]
    many = check_bytes(("<a>" + "\x80\n" * 1000 + "</a>").encode())
    assert len(many) == MOST + 1
    assert (many[-1].code, many[-1].severity) == ("bytes-more-discouraged-characters", Severity.INFO)
    assert "980" in many[-1].message.en
    assert len(check_bytes(b"&#x80;<?x?>" * 1000)) == MOST


@pytest.mark.parametrize(
    ("size", "with_attachment", "expected"),
    [
        (MAX_BYTES, False, []),
        (MAX_BYTES + 1, False, ["bytes-too-large"]),
        (MAX_BYTES + 1, True, []),
        (MAX_BYTES_WITH_ATTACHMENT, True, []),
        (MAX_BYTES_WITH_ATTACHMENT + 1, True, ["bytes-too-large"]),
    ],
)
def test_size(size: int, *, with_attachment: bool, expected: list[str]) -> None:
    """The limit is 1 000 000 bytes, three times as much with an attachment; the limit itself is allowed."""
    data = b"<a>" + b"x" * (size - 7) + b"</a>"
    assert len(data) == size
    assert codes(data, with_attachment=with_attachment) == expected


def test_size_counts_bytes_not_characters() -> None:
    """A Polish letter is two bytes of the limit."""
    assert codes("ą" * 500_001) == ["bytes-too-large"]
    assert codes("ą" * 500_000) == []


def test_faults_are_gathered() -> None:
    """One look at a file tells all its faults."""
    data = (
        b"\xef\xbb\xbf<?xml version='1.0' encoding='cp1250'?><?x?><!DOCTYPE a><a>\x7f</a>" + b" " * MAX_BYTES
    )
    assert codes(data) == [
        "bytes-too-large",
        "bytes-bom",
        "bytes-encoding-declaration",
        "bytes-processing-instruction",
        "bytes-doctype",
        "bytes-discouraged-character",
    ]


@pytest.mark.parametrize(
    "piece",
    [
        "<P_7>zażółć gęślą jaźń</P_7>",
        "<!-- ",
        "<![CDATA[",
        "&#",
        "<?x",
        "&#10;\u00a0",
        "<?xml ",
        "<!-- &#",
        "<![CDATA[ <?",
        "&#x80;",
    ],
)
def test_large_files_are_quick(piece: str) -> None:
    """A megabyte is checked in a moment, whatever it repeats."""
    data = (piece * (MAX_BYTES // len(piece.encode()))).encode()
    started = time.perf_counter()
    check_bytes(data)
    assert time.perf_counter() - started < 2


def test_official_examples(official_ksef: Path) -> None:
    """The Ministry's own examples keep the rules, apart from those that begin with a BOM."""
    for file in sorted((official_ksef / "fa3-examples").glob("*.xml")):
        assert set(codes(file.read_bytes())) <= {"bytes-bom"}, file.name

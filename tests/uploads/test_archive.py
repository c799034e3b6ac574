"""ZIPs: opened within bounds, and names are never paths."""

from __future__ import annotations

import io
import zipfile

import pytest

from connector_app.uploads import BadArchive, is_archive, unpack
from connector_app.uploads.archive import MOST_FILES


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return whole.getvalue()


def test_files_come_without_their_folders() -> None:
    """Also names that would leave a folder; what a Mac adds is passed over."""
    data = packed({"../../etc/a.xml": b"1", "x\\..\\b.xml": b"2", "__MACOSX/._a.xml": b"3", "d/": b""})
    assert is_archive(data)
    assert unpack(data) == [("a.xml", b"1"), ("b.xml", b"2")]


@pytest.mark.parametrize(
    "data",
    [
        packed({f"{n}.xml": b"" for n in range(MOST_FILES + 1)}),
        packed({"bomb.xml": bytes(2_900_000)}),
        packed({"large.xml": b"x" * 3_100_000}, zipfile.ZIP_STORED),
        packed({"run.exe": b"MZ"}),
        packed({"inner.zip": packed({"a.xml": b"1"})}),
        packed({}),
        packed({"a.xml": b"1" * 1000})[:-30],
    ],
    ids=["many", "bomb", "large", "no-xml", "nested", "empty", "broken"],
)
def test_what_is_too_much_or_something_else_is_refused(data: bytes) -> None:
    """In words, and without unpacking it whole."""
    with pytest.raises(BadArchive) as refused:
        unpack(data)
    assert refused.value.text.pl
    assert refused.value.text.en

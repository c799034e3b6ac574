"""From 10 000 documents to the encrypted parts of a batch: time, bytes to send, memory added.

The floor is what nobody can leave out with the same compressor: SHA-256 of each document, igzip of all of
them in one, SHA-256 of that, AES and SHA-256 of the ciphertext. Every packer runs in a process of its own.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from isal import isal_zlib

from benchmarks import documents
from benchmarks.peers import Peer
from benchmarks.peers.packing import write_documents
from benchmarks.timing import TINY, Effort, Row, Work, rounds_of, take_turns
from core.fa import registry
from core.fa.write import write

NAME = "batch"
_DOCUMENTS = 10_000
_TINY_DOCUMENTS = 20
_DIFFERENT = 1000
_LINES = 5
_MOST_SECONDS = 0.4
_MOST_SENT = 3_000_000
_MOST_ADDED = 15_000_000
_PACKERS = (
    ("core", "TarGz"),
    ("core", "Zip"),
    ("ksef-client", "TarGz"),
    ("ksef-client", "Zip"),
    ("ksef2", "Zip"),
)


@dataclass(slots=True)
class _Packer:
    """One packer, its row, and what it told about its first packing."""

    peer: Peer
    row: Row
    sent: int = 0
    added: int | None = None

    @property
    def words(self) -> str:
        """Bytes to send and memory added, in megabytes."""
        added = "memory not measured here" if self.added is None else f"{self.added / 1e6:.1f} MB added"
        return f"{self.sent / 1e6:.2f} MB sent, {added}"


def measure(effort: Effort) -> Iterator[Row]:
    """The rows of this bench."""
    made = _made(_TINY_DOCUMENTS if effort == TINY else _DOCUMENTS)
    size = sum(map(len, made)) / 1e6
    what = f"pack and encrypt {len(made)} invoices of {size:.0f} MB"
    floor = Row(NAME, what, "floor")
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        write_documents(folder / "documents", made)
        packers = [
            _Packer(running.enter_context(Peer(name, "pack_with", kind)), Row(NAME, f"{what}: {kind}", name))
            for name, kind in _PACKERS
        ]
        works = [(floor, rounds_of(_floor(made), effort))]
        for one in packers:
            works += [(one.row, one.peer.round)] if _starts(one, folder / "documents") else []
        take_turns(works, effort)
    _compare(packers, floor)
    yield floor
    yield from (one.row for one in packers)


def _starts(packer: _Packer, path: Path) -> bool:
    """Let a packer pack once; notes in its row why it cannot."""
    peer, row = packer.peer, packer.row
    if not peer.missing:
        answer = peer.prepare({"documents": str(path)})
        row.who = peer.label
        packer.sent, packer.added = answer.get("sent", 0), answer.get("added")
    row.note = peer.missing
    return not peer.missing


def _compare(packers: Sequence[_Packer], floor: Row) -> None:
    """Fill in what the rows say about each other."""
    core = packers[0]
    for one in packers:
        one.row.floor = floor.best
        if one.row.best is not None:
            one.row.note = one.words
            one.row.core = None if one.peer.name == "core" else core.row.best
    core.row.goal = "<= 0.4 s, <= 3 MB sent, <= 15 MB added"
    core.row.met = (
        (core.row.best or 0) <= _MOST_SECONDS and core.sent <= _MOST_SENT and (core.added or 0) <= _MOST_ADDED
    )
    core.row.note = f"{'met' if core.row.met else 'NOT met'}; {core.words}"


def _made(count: int) -> list[bytes]:
    """Documents of different content and numbers."""
    different = documents.invoices(_LINES, min(_DIFFERENT, count))
    fa3 = registry.schema_for("FA3")
    templates = [(write(one, fa3), f"<P_2>{one.number}</P_2>".encode()) for one in different]
    made = []
    for number in range(1, count + 1):
        xml, old = templates[number % len(templates)]
        made.append(xml.replace(old, b"<P_2>FV/2026/11/%05d</P_2>" % number))
    return made


def _floor(made: Sequence[bytes]) -> Work:
    """Hash, compress, hash, encrypt and hash, with nothing around the libraries' own calls."""
    joined = b"".join(made)

    def work(_number: int) -> None:
        for document in made:
            hashlib.sha256(document).digest()
        packed = isal_zlib.compress(joined, 2)
        hashlib.sha256(packed).digest()
        cipher = Cipher(algorithms.AES256(bytes(32)), modes.CBC(bytes(16))).encryptor()
        hashlib.sha256(cipher.update(packed)).digest()

    return work

"""This project's packer, served like the peers' packers; the kind of archive is the argument."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.peers.packing import serve_packing
from core.ksef.batch.archives import Archive
from core.ksef.batch.packing import BatchDocument, pack


def main(kind: Archive) -> None:
    """Serve packings into a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:

        def work(documents: list[bytes]) -> int:
            package = pack(
                (BatchDocument(f"FV/{number}", xml) for number, xml in enumerate(documents)),
                Path(folder) / "package",
                archive=kind,
            )
            package.remove_files()
            return package.encrypted_size

        serve_packing("", work)


if __name__ == "__main__":
    main(Archive(sys.argv[1]))

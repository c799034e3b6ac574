"""ksef-client's packer; the kind of archive is the argument."""

from __future__ import annotations

import importlib
import os
import sys

from benchmarks.peers.packing import serve_packing


def main(kind: str) -> None:
    """Serve packings; needs ``pip install ksef-client``."""
    archives = importlib.import_module("ksef_client.utils.zip_utils")
    encrypt = importlib.import_module("ksef_client.services.batch").encrypt_batch_parts
    build = archives.build_tar_gz if kind == "TarGz" else archives.build_zip
    key, iv = os.urandom(32), os.urandom(16)

    def work(documents: list[bytes]) -> int:
        files = {f"{number:06}.xml": xml for number, xml in enumerate(documents)}
        parts, _info = encrypt(build(files), key, iv)
        return sum(map(len, parts))

    serve_packing("ksef-client", work)


if __name__ == "__main__":
    main(sys.argv[1])

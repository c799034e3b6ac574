"""ksef2's packer, which makes Zip only; the argument is not looked at."""

from __future__ import annotations

import importlib
import os

from benchmarks.peers.packing import serve_packing


def main() -> None:
    """Serve packings; needs Python 3.12 and ``pip install ksef2``."""
    # its public service needs a connection for the key; this is what it calls
    prepare = importlib.import_module("ksef2._services.batch_preparation").prepare_batch_package
    invoice = importlib.import_module("ksef2._domain.models.batch").BatchInvoice
    key, iv = os.urandom(32), os.urandom(16)

    def work(documents: list[bytes]) -> int:
        prepared = prepare(
            invoices=[
                invoice(file_name=f"{number:06}.xml", content=xml) for number, xml in enumerate(documents)
            ],
            aes_key=key,
            iv=iv,
            encrypted_key=os.urandom(256),
        )
        return sum(part.file_size for part in prepared.batch_file.parts)

    serve_packing("ksef2", work)


if __name__ == "__main__":
    main()

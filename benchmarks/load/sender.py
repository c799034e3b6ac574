"""A shop that tells of thousands of orders: signed webhooks at a steady pace, each on its own connection.

``python -m benchmarks.load.sender URL SECRET RATE SECONDS`` sends and prints what came back as JSON. The pace
is kept whatever the answers do: a slow receiver gets more requests at a time, not fewer.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from benchmarks.load.sandboxes import paid_orders

_PATIENCE = 30.0


def requests(url: str, secret: str, count: int) -> Iterator[bytes]:
    """Deliveries of different orders as they go over the wire."""
    parts = urlsplit(url)
    for order in paid_orders(count):
        body = json.dumps(order, ensure_ascii=False).encode()
        signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
        head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"X-WC-Webhook-Topic: order.updated\r\nX-WC-Webhook-Resource: order\r\n"
            f"X-WC-Webhook-Event: updated\r\nX-WC-Webhook-Signature: {signature}\r\n\r\n"
        )
        yield head.encode() + body


async def send(url: str, secret: str, rate: float, seconds: float) -> dict[str, object]:
    """Send at a pace and wait for all answers.

    Returns:
        ``answers`` by status (``lost`` without one), ``milliseconds`` of each answer, and ``late``: by how
        many milliseconds at the most the pace was missed.
    """
    parts = urlsplit(url)
    made = list(requests(url, secret, max(1, int(rate * seconds))))
    answers: Counter[str] = Counter()
    spent: list[float] = []

    async def one(content: bytes) -> None:
        began = time.perf_counter()
        try:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(content)
            line = await asyncio.wait_for(reader.readline(), _PATIENCE)
            spent.append((time.perf_counter() - began) * 1000)
            answers[line.split()[1].decode() if line else "lost"] += 1
            writer.close()
        except (OSError, TimeoutError):
            answers["lost"] += 1

    late, under_way, began = 0.0, set(), time.perf_counter()
    for number, content in enumerate(made):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        late = max(late, time.perf_counter() - due)
        task = asyncio.create_task(one(content))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    return {"answers": answers, "milliseconds": spent, "late": late * 1000}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(send(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))))

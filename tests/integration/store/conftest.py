"""Sinks on a real Postgres, and records for them."""

from collections.abc import Callable, Iterator

import pytest

from otel_guard.core.delivery import Batch
from otel_guard.core.record import Amendment, ErrorRecord, Head, Record
from otel_guard.sinks.postgres import PostgresSink

Query = Callable[..., list[dict[str, object]]]

NOON_MS = 1_700_000_000_000
HEAD = Head(
    version=1,
    writer_id="018bcfe5-6800-7000-8000-0000000000aa",
    number=1,
    service="shop",
    environment="test",
    release="r1",
    host="web-1",
)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now_ms(self) -> int:
        return NOON_MS + int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Store:
    """Sinks on one database, what they said, and records by number: error 7 and amendment 7 have the same id."""

    def __init__(self, dsn: str, query: Query) -> None:
        self.dsn = dsn
        self.query = query
        self.clock = Clock()
        self.said: list[str] = []
        self._open: list[PostgresSink] = []

    def sink(self, dsn: str | None = None) -> PostgresSink:
        sink = PostgresSink(dsn or self.dsn, clock=self.clock, say=self.said.append)
        self._open.append(sink)
        return sink

    def close(self) -> None:
        for sink in self._open:
            sink.close()

    def id(self, number: int, at_ms: int = NOON_MS) -> str:
        text = f"{at_ms:012x}7000{0x8000_0000_0000_0000 + number:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def error(self, number: int, **fields: object) -> ErrorRecord:
        values: dict[str, object] = {
            "id": self.id(number),
            "seq": number,
            "error_type": "ValueError",
            "message": f"order {number} not found",
            "context": "api",
            "severity": "medium",
            "fingerprint": "f" * 16,
            "title": "ValueError: order",
            "parts": ("ValueError", "shop:pay"),
            "metadata": {"number": number},
            "stack_trace": "Traceback",
        }
        return ErrorRecord(**(values | fields))  # type: ignore[arg-type]

    def amendment(self, number: int, **fields: object) -> Amendment:
        values: dict[str, object] = {
            "id": self.id(number),
            "fingerprint": "f" * 16,
            "title": "ValueError: order",
            "of_context": "api",
            "of_severity": "medium",
        }
        return Amendment(**(values | fields))  # type: ignore[arg-type]

    def batch(self, *records: Record) -> Batch:
        return Batch(head=HEAD, records=records)


@pytest.fixture
def store(dsn: str, query: Query) -> Iterator[Store]:
    made = Store(dsn, query)
    yield made
    made.close()

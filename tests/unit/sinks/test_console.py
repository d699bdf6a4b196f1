import io

import pytest

from otel_guard.core.delivery import Batch, Delivered
from otel_guard.core.record import Drops, ErrorRecord, Head, Record, Repeat, SlowCall
from otel_guard.sinks.console import ConsoleSink

HEAD = Head(
    version=1,
    writer_id="018bcfe5-6800-7000-8000-000000000001",
    number=1,
    service="shop",
    environment="test",
    release=None,
    host="h",
)
ID = "018bcfe5-6800-7000-8000-000000abcdef"  # 2023-11-14 22:13:20
ERROR = ErrorRecord(
    id=ID, seq=1, error_type="CardError", message="declined\nmore", context="payment", severity="high", fingerprint="a41c",
    title="CardError: declined", parts=(), metadata={"place": {"file": "shop/pay.py", "line": 12}}, system="stripe", operation="charge",
    route="/checkout", trace_id="t" * 32,
)  # fmt: skip
REPEAT = Repeat(
    id=ID, seq=2, n=30, error_type="CardError", message="\x1b[2J", context="payment", severity="high", fingerprint="a41c",
    title="CardError", parts=(),
)  # fmt: skip
SLOW = SlowCall(id=ID, type="database_query", value=812.0, duration_ms=812.0, query_text="SELECT\n  1", metadata={})
DROPS = Drops(id=ID, reason="quota", kind="slow", n=3, first_at_ms=0, last_at_ms=0)


FACTS = f"  at shop/pay.py:12 · route /checkout · trace {'t' * 32} · id abcdef"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(record: Record, stream: io.StringIO) -> str:
    assert ConsoleSink(stream).deliver(Batch(head=HEAD, records=[record])) == Delivered()
    return stream.getvalue()


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (
            ERROR,
            f"22:13:20 high     payment stripe charge: CardError: declined\n{FACTS}\n",
        ),
        (REPEAT, "22:13:20 high     payment: CardError: \\x1b[2J x30 more\n"),
        (SLOW, "22:13:20 slow     database_query 812 ms: SELECT 1\n"),
        (DROPS, "otel-guard: 3 slow records not kept: quota\n"),
    ],
)
def test_a_record_is_a_line_or_two(record: Record, text: str) -> None:
    assert printed(record, io.StringIO()) == text


def test_colour_is_for_terminals_only() -> None:
    assert "\x1b[31mhigh" in printed(ERROR, Terminal())
    assert "\x1b" not in printed(ERROR, io.StringIO())


def test_a_closed_stream_holds_nobody_up() -> None:
    stream = io.StringIO()
    sink = ConsoleSink(stream)
    stream.close()

    assert sink.deliver(Batch(head=HEAD, records=[ERROR])) == Delivered()

"""Against the demo's own stand-in for Sentry."""

from collections.abc import Iterator, Mapping

import pytest

from otel_guard.core.delivery import Batch, Delivered, Retry
from otel_guard.core.record import ErrorRecord, Head
from otel_guard.demo.standins import sentry as standin
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.ids import uuid7
from otel_guard.sinks.sentry import SentrySink

HEAD = Head(version=1, writer_id="w", number=1, service="shop", environment="demo", release=None, host="web-1")


class Clean:
    """A redactor that finds nothing."""

    def text(self, text: str, /) -> str:
        return text

    def mapping(self, values: Mapping[str, object], /) -> dict[str, object]:
        return dict(values)


@pytest.fixture
def server() -> Iterator[standin.Sentry]:
    found = standin.start()
    yield found
    found.stop()


def test_a_refusing_server_gets_the_event_once_when_it_takes_events_again(server: standin.Sentry) -> None:
    sink = SentrySink(
        dsn=server.dsn,
        environment="demo",
        release=None,
        redactor=Clean(),
        root_ended=lambda _trace_id: True,
        clock=SYSTEM,
        say=print,
    )
    record = ErrorRecord(
        id=uuid7(SYSTEM.now_ms()),
        seq=1,
        error_type="ZeroDivisionError",
        message="division by zero",
        context="api",
        severity="high",
        fingerprint="f" * 16,
        title="ZeroDivisionError: division by zero",
        parts=("ZeroDivisionError",),
        metadata={},
        trace_id="a" * 32,
        span_id="b" * 16,
    )
    batch = Batch(head=HEAD, records=[record])

    server.refuse(503)
    assert sink.deliver(batch) == Retry("Sentry answered 503", None)
    server.refuse(429, after_s=0)
    assert sink.deliver(batch) == Retry("Sentry answered 429", 0.0)
    server.accept()
    assert sink.deliver(batch) == Delivered()
    assert sink.deliver(batch) == Delivered()
    sink.close()

    (event,) = server.events
    assert (event.event_id, event.trace_id, event.exception_type, event.level, event.tags["context"]) == (
        record.id.replace("-", ""),
        "a" * 32,
        "ZeroDivisionError",
        "error",
        "api",
    )

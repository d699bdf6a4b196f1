"""Against a real Sentry-protocol server."""

import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import sentry_sdk
from msgspec.structs import replace

from otel_guard.core.delivery import Batch, Delivered
from otel_guard.core.record import ErrorRecord, Head
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.ids import uuid7
from otel_guard.sinks.sentry import SentrySink, watch_own_events
from tests.bugsink import Bugsink

HEAD = Head(version=1, writer_id="w", number=1, service="shop", environment="staging", release="1.2", host="web-1")


class Clean:
    """A redactor that finds nothing."""

    def text(self, text: str, /) -> str:
        return text

    def mapping(self, values: Any, /) -> dict[str, object]:
        return dict(values)


def sink(dsn: str | None) -> SentrySink:
    return SentrySink(
        dsn=dsn,
        environment="staging",
        release="1.2",
        redactor=Clean(),
        root_ended=lambda _trace_id: True,
        clock=SYSTEM,
        say=print,
    )


def failure(**fields: Any) -> ErrorRecord:
    try:
        try:
            dict[str, str]()["cart"]
        except KeyError as error:
            raise RuntimeError("no cart") from error
    except RuntimeError as error:
        stack = "".join(traceback.format_exception(error))
    known: dict[str, Any] = {
        "id": uuid7(SYSTEM.now_ms()),
        "seq": 1,
        "error_type": "shop.errors.CheckoutFailed",
        "message": "no cart",
        "context": "payment",
        "severity": "critical",
        "fingerprint": "0123456789abcdef",
        "title": "shop.errors.CheckoutFailed: no cart",
        "parts": ("shop.errors.CheckoutFailed",),
        "user_id": "u-7",
        "metadata": {"order": 17, "trail": [[0, "database", "SELECT carts", 4, "ok"]]},
        "stack_trace": stack,
        "handled": False,
        "system": "stripe",
        "route": "/pay",
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
    }
    return ErrorRecord(**(known | fields))


def eventually(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if found := look():
            return found
    raise AssertionError("nothing came")


def test_an_event_arrives_once_with_type_stack_tags_and_trace(bugsink: Bugsink) -> None:
    record, our = failure(), sink(bugsink.dsn)

    assert our.deliver(Batch(head=HEAD, records=[record])) == Delivered()
    assert our.deliver(Batch(head=HEAD, records=[record])) == Delivered()

    event = eventually(lambda: bugsink.event(record.id))
    cause, raised = event["exception"]["values"]
    assert (cause["type"], raised["type"], raised["module"], raised["value"]) == (
        "KeyError",
        "CheckoutFailed",
        "shop.errors",
        "no cart",
    )
    assert raised["stacktrace"]["frames"][-1]["function"] == "failure"
    assert raised["stacktrace"]["frames"][-1]["context_line"] == 'raise RuntimeError("no cart") from error'
    assert raised["mechanism"]["handled"] is False
    assert event["tags"] == {
        "context": "payment",
        "severity": "critical",
        "service": "shop",
        "fingerprint": "0123456789abcdef",
        "system": "stripe",
    }
    assert event["contexts"]["trace"]["trace_id"] == "a" * 32
    assert (event["level"], event["transaction"], event["user"]["id"]) == ("fatal", "/pay", "u-7")
    assert (event["environment"], event["release"], event["server_name"]) == ("staging", "1.2", "web-1")
    assert our.delivered == 1


def test_an_event_that_is_sent_again_by_another_process_is_stored_once(bugsink: Bugsink) -> None:
    record, again = failure(), failure()
    for one in (record, record, again):
        our = sink(bugsink.dsn)
        assert our.deliver(Batch(head=HEAD, records=[one], is_own=False)) == Delivered()
        assert our.dropped == {}
        our.close()

    eventually(lambda: bugsink.event(again.id))
    ids = [event["event_id"] for event in bugsink.events()]
    assert ids.count(record.id.replace("-", "")) == 1


@pytest.mark.parametrize(("key", "project"), [("0" * 32, None), (None, "999")], ids=["another key", "another project"])
def test_a_server_that_does_not_know_us_refuses(bugsink: Bugsink, key: str | None, project: str | None) -> None:
    said: list[str] = []
    our = sink(f"http://{key or bugsink.key}@127.0.0.1:{bugsink.port}/{project or bugsink.project}")
    our._say = said.append

    assert our.deliver(Batch(head=HEAD, records=[failure()])) == Delivered()
    assert our.dropped == {"refused": 1}
    assert "check SENTRY_DSN" in said[0]


def test_the_applications_own_event_comes_first_and_ours_is_skipped(bugsink: Bugsink) -> None:
    own_ids: list[str] = []
    stop = watch_own_events(lambda _exc, own_id: own_ids.append(own_id))
    sentry_sdk.init(dsn=bugsink.dsn, environment="own", default_integrations=False)
    try:
        sentry_sdk.capture_exception(ValueError("own"))
        record, other = failure(sentry_event_id=own_ids[0]), failure()
        our = sink(None)
        our.deliver(Batch(head=HEAD, records=[record, replace(other, stack_trace=None)]))
        sentry_sdk.flush(5)
    finally:
        stop()
        sentry_sdk.get_client().close(timeout=2)
        sentry_sdk.get_global_scope().set_client(None)

    eventually(lambda: bugsink.event(own_ids[0]))
    assert eventually(lambda: bugsink.event(other.id))["environment"] == "own"
    assert bugsink.event(record.id) is None

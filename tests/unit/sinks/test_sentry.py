import contextlib
import gzip
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.client import SDK_INFO
from sentry_sdk.profiler import continuous_profiler
from sentry_sdk.transport import Transport

from otel_guard.core.delivery import Batch, Delivered, Outcome, Quarantine, Retry
from otel_guard.core.record import Amendment, ErrorRecord, Head, Record, Repeat
from otel_guard.sinks.sentry import SentrySink, check_dsn, watch_own_events

NOON_MS = 1_767_268_800_000
KEY = "k" * 32
ROOT = "a" * 32


class FakeClock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.at_s = 0.0
        self.step_s = 0.0  # of the wall clock alone

    def now_ms(self) -> int:
        return NOON_MS + int((self.at_s + self.step_s) * 1000)

    def monotonic(self) -> float:
        return self.at_s

    def sleep(self, seconds: float) -> None:
        self.at_s += seconds


class Plain:
    """A redactor that finds nothing, but fails on one word."""

    def text(self, text: str, /) -> str:
        if text == "unreadable":
            raise RuntimeError
        return text

    def mapping(self, values: Mapping[str, object], /) -> dict[str, object]:
        return dict(values)


class Peer:
    """Sentry's endpoint: answers as told, keeps the events it took."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.events: list[dict[str, Any]] = []
        peer = self

        class Endpoint(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
                status, headers = peer.answers.pop(0) if peer.answers else (200, {})
                peer.requests.append((self.path, dict(self.headers)))
                if status == 200:
                    peer.events.append(json.loads(body.split(b"\n")[2]))
                self.send_response(status)
                for name, value in ({"Content-Length": "2"} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def dsn(self) -> str:
        return f"http://{KEY}@127.0.0.1:{self._server.server_address[1]}/7"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class House:
    """A sink with a peer, a clock, and the traces whose root has ended."""

    def __init__(self, peer: Peer, dsn: str | None) -> None:
        self.peer = peer
        self.clock = FakeClock()
        self.ended: set[str] = set()
        self.said: list[str] = []
        self.sink = SentrySink(
            dsn=dsn,
            environment="test",
            release="1.0",
            redactor=Plain(),
            root_ended=self.ended.__contains__,
            clock=self.clock,
            say=self.said.append,
        )

    def deliver(self, *records: Record, is_own: bool = True) -> Outcome:
        head = Head(
            version=1, writer_id=name(0), number=1, service="shop", environment="old", release="0.9", host="web-1"
        )
        return self.sink.deliver(Batch(head=head, records=records, is_own=is_own))

    @property
    def sent(self) -> list[str]:
        return [event["event_id"] for event in self.peer.events]


@pytest.fixture
def peer() -> Iterator[Peer]:
    found = Peer()
    yield found
    found.close()


@pytest.fixture
def house(peer: Peer) -> Iterator[House]:
    found = House(peer, peer.dsn)
    yield found
    found.sink.close()


class Kept(Transport):
    """The application's own transport: keeps what its SDK sends."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.events.append(envelope.get_event())


@contextlib.contextmanager
def application(dsn: str, **options: Any) -> Iterator[Kept]:
    transport = Kept()
    sentry_sdk.init(dsn=dsn, transport=transport, default_integrations=False, **options)
    try:
        yield transport
    finally:
        sentry_sdk.get_client().close(timeout=0)
        sentry_sdk.get_global_scope().set_client(None)


def name(number: int) -> str:
    return f"{NOON_MS:012x}"[:8] + "-" + f"{NOON_MS:012x}"[8:] + f"-7000-8000-{number:012x}"


def hexed(*numbers: int) -> list[str]:
    return [name(number).replace("-", "") for number in numbers]


def failure(number: int, **fields: Any) -> ErrorRecord:
    known: dict[str, Any] = {
        "id": name(number),
        "seq": number,
        "error_type": "shop.Broken",
        "message": "it broke",
        "context": "other",
        "severity": "medium",
        "fingerprint": "f" * 16,
        "title": "shop.Broken: it broke",
        "parts": ("shop.Broken",),
        "metadata": {},
        "trace_id": ROOT,
        "span_id": "b" * 16,
    }
    return ErrorRecord(**(known | fields))


def change(number: int, **fields: Any) -> Amendment:
    return Amendment(
        id=name(number), fingerprint="f" * 16, title="t", of_context="other", of_severity="medium", **fields
    )


WAITS = Delivered(0, 0.25)


def test_a_record_waits_for_the_end_of_its_root(house: House) -> None:
    assert house.deliver(failure(1)) == WAITS
    assert house.sent == []

    house.ended.add(ROOT)

    assert house.deliver(failure(1)) == Delivered()
    assert house.sent == hexed(1)


@pytest.mark.parametrize("step_s", [0.0, -3600.0])
def test_a_record_waits_ten_seconds_at_most_even_when_the_wall_clock_goes_back(house: House, step_s: float) -> None:
    house.clock.at_s = 0.5
    house.deliver(failure(1))
    house.clock.at_s, house.clock.step_s = 9.9, step_s
    assert house.deliver(failure(1)) == WAITS

    house.clock.at_s = 10.6

    assert house.deliver(failure(1)) == Delivered()
    assert house.sent == hexed(1)


def test_a_record_without_a_trace_waits_ten_seconds(house: House) -> None:
    assert house.deliver(failure(1, trace_id=None)) == WAITS
    house.clock.at_s = 10.0

    assert house.deliver(failure(1, trace_id=None)) == Delivered()


def test_nothing_waits_at_exit_or_in_the_journal_of_a_dead_process(house: House) -> None:
    assert house.deliver(failure(1), is_own=False) == Delivered()
    house.sink.closing = True
    assert house.deliver(failure(2)) == Delivered()

    assert [(event["environment"], event["release"]) for event in house.peer.events] == [
        ("old", "0.9"),
        ("test", "1.0"),
    ]


def test_one_that_waits_holds_no_other_up_and_none_is_sent_twice(house: House) -> None:
    house.ended.add(ROOT)
    batch = (failure(1), failure(2, trace_id="c" * 32), failure(3))

    assert house.deliver(*batch) == Delivered(1, 0.25)
    assert house.deliver(*batch[1:]) == WAITS
    assert house.sent == hexed(1, 3)

    house.ended.add("c" * 32)
    assert house.deliver(*batch[1:]) == Delivered()
    assert house.sent == hexed(1, 3, 2)


def test_an_amendment_is_in_the_event_whether_its_frame_was_read_or_it_was_told(house: House) -> None:
    assert house.deliver(failure(1)) == WAITS
    house.sink.amended(change(1, route="/pay", trace_id=ROOT))
    house.ended.add(ROOT)

    house.deliver(failure(1), change(1, severity="high"))

    (event,) = house.peer.events
    assert (event["transaction"], event["level"], event["tags"]["severity"]) == ("/pay", "error", "high")


@pytest.mark.parametrize("told", ["record", "frame", "call"])
def test_what_the_application_reported_itself_is_skipped(house: House, told: str) -> None:
    house.sink.closing = True
    own = change(1, sentry_event_id="e" * 32)
    if told == "call":
        house.sink.amended(own)
    records: dict[str, list[Record]] = {
        "record": [failure(1, sentry_event_id="e" * 32)],
        "frame": [failure(1), own],
        "call": [failure(1)],
    }

    assert house.deliver(*records[told]) == Delivered()
    assert house.sent == []
    assert house.sink.skipped == 1


def test_a_handled_decline_is_skipped_until_it_becomes_reportable(house: House) -> None:
    quiet = failure(1, reportable=False)
    assert house.deliver(quiet) == WAITS
    house.ended.add(ROOT)
    assert house.deliver(quiet) == Delivered()
    assert house.sent == []

    assert house.deliver(change(1, reportable=True, handled=False)) == Delivered()
    assert house.deliver(change(1, reportable=True, handled=False)) == Delivered()

    assert house.sent == hexed(1)
    assert house.peer.events[0]["exception"]["values"][0]["mechanism"]["handled"] is False


def test_a_repeat_has_no_event(house: House) -> None:
    repeat = Repeat(
        id=name(9),
        seq=9,
        n=5,
        error_type="E",
        message="m",
        context="other",
        severity="low",
        fingerprint="f" * 16,
        title="E: m",
        parts=("E",),
    )

    assert house.deliver(repeat) == Delivered()
    assert house.peer.requests == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((429, {"Retry-After": "7"}), Retry("Sentry answered 429", 7.0)),
        ((429, {"X-Sentry-Rate-Limits": "9:error:key"}), Retry("Sentry answered 429", 9.0)),
        ((503, {}), Retry("Sentry answered 503", None)),
    ],
)
def test_a_busy_server_is_asked_again_not_earlier_than_it_said_and_gets_it_once(
    house: House, answer: tuple[int, dict[str, str]], expected: Retry
) -> None:
    house.sink.closing = True
    house.peer.answers = [answer]
    assert house.deliver(failure(1)) == expected
    if expected.after_s:
        assert house.deliver(failure(1)) == Retry("Sentry asked for a pause", expected.after_s)
        assert len(house.peer.requests) == 1
        house.clock.at_s += expected.after_s

    assert house.deliver(failure(1)) == Delivered()
    assert house.sent == hexed(1)


def test_what_arrived_before_the_server_was_busy_is_settled(house: House) -> None:
    house.sink.closing = True
    house.peer.answers = [(200, {"X-Sentry-Rate-Limits": "5:error:key"})]

    assert house.deliver(failure(1), failure(2)) == Delivered(1)
    assert house.deliver(failure(2)) == Retry("Sentry asked for a pause", 5.0)


def test_a_server_that_is_away_means_later(peer: Peer) -> None:
    house = House(peer, peer.dsn)
    peer.close()
    house.sink.closing = True

    outcome = house.deliver(failure(1))

    assert isinstance(outcome, Retry)
    assert outcome.after_s is None


def test_a_refused_event_is_counted_and_said_once_a_minute(house: House) -> None:
    house.sink.closing = True
    house.peer.answers = [(403, {})] * 3

    assert house.deliver(failure(1), failure(2)) == Delivered()
    assert len(house.said) == 1
    assert "403" in house.said[0]

    house.clock.at_s = 61.0
    house.deliver(failure(3))
    assert (len(house.said), house.sink.dropped["refused"]) == (2, 3)


def test_one_record_that_cannot_be_read_is_quarantined_and_the_next_is_sent(house: House) -> None:
    house.sink.closing = True

    outcome = house.deliver(failure(1, message="unreadable"), failure(2))

    assert isinstance(outcome, Quarantine)
    assert outcome.ids == {name(1)}
    assert house.deliver(failure(2)) == Delivered()
    assert house.sent == hexed(2)


@pytest.mark.parametrize("dsn", [None, "nonsense"])
def test_without_a_usable_dsn_events_are_counted_as_dropped(peer: Peer, dsn: str | None) -> None:
    house = House(peer, dsn)
    house.sink.closing = True

    assert house.deliver(failure(1)) == Delivered()
    assert house.sink.dropped == {"no_sentry": 1}


def test_the_applications_client_gives_dsn_environment_release_and_before_send(peer: Peer) -> None:
    house = House(peer, None)
    house.sink.closing = True

    def before_send(event: Any, _hint: Any) -> Any:
        return None if event["tags"]["context"] == "ai" else event | {"logger": "seen"}

    with application(peer.dsn, environment="prod", release="9", before_send=before_send) as own:
        house.deliver(failure(1), failure(2, context="ai"))

    assert [(e["event_id"], e["environment"], e["release"], e["logger"]) for e in peer.events] == [
        (hexed(1)[0], "prod", "9", "seen")
    ]
    assert house.sink.dropped == {"before_send": 1}
    assert own.events == []


def test_a_before_send_that_raises_is_counted(peer: Peer) -> None:
    house = House(peer, None)
    house.sink.closing = True

    with application(peer.dsn, before_send=lambda _event, hint: hint["exc_info"]):
        assert house.deliver(failure(1)) == Delivered()

    assert house.sink.dropped in ({"callback_error": 1}, {"before_send": 1})  # the latter up to 2.30


def test_our_client_leaves_the_applications_sdk_as_it_was(peer: Peer) -> None:
    house = House(peer, peer.dsn)
    house.sink.closing = True
    with application(peer.dsn):
        known, profiler = dict(SDK_INFO), continuous_profiler._scheduler

        house.deliver(failure(1))

        assert known == SDK_INFO
        assert continuous_profiler._scheduler is profiler


def test_the_request_is_what_sentrys_endpoint_expects(house: House) -> None:
    house.sink.closing = True
    house.deliver(failure(1))

    ((path, headers),) = house.peer.requests
    assert path == "/api/7/envelope/"
    assert f"sentry_key={KEY}" in headers["X-Sentry-Auth"]


def test_the_applications_own_events_are_seen_and_ours_are_not(peer: Peer) -> None:
    seen: list[tuple[BaseException, str]] = []
    house = House(peer, None)
    house.sink.closing = True
    stop = watch_own_events(lambda exc, own_id: seen.append((exc, own_id)))
    error = ValueError("x")
    try:
        with application(peer.dsn) as own:
            assert house.deliver(failure(1)) == Delivered()
            sentry_sdk.capture_message("no exception")
            sentry_sdk.capture_exception(error)
    finally:
        stop()

    assert house.sent == hexed(1)
    assert seen == [(error, own.events[-1]["event_id"])]


def test_an_own_event_that_came_by_a_log_is_seen(peer: Peer) -> None:
    seen: list[BaseException] = []
    stop = watch_own_events(lambda exc, _own_id: seen.append(exc))
    error = ValueError("x")
    record = logging.LogRecord("shop", logging.ERROR, __file__, 1, "m", (), (ValueError, error, None))
    try:
        with application(peer.dsn):
            sentry_sdk.capture_event({"message": "m"}, hint={"log_record": record})
    finally:
        stop()

    assert seen == [error]


def test_a_listener_that_raises_costs_the_application_no_event(peer: Peer) -> None:
    def broken(_exc: BaseException, _own_id: str) -> None:
        raise RuntimeError

    stop = watch_own_events(broken)
    try:
        with application(peer.dsn) as own:
            sentry_sdk.capture_exception(ValueError("x"))
    finally:
        stop()

    assert len(own.events) == 1


@pytest.mark.parametrize(
    ("text", "is_fine"),
    [
        (f"https://{KEY}@o1.ingest.example/7", True),
        (f"http://{KEY}@127.0.0.1:9000/sentry/7 ", True),
        ("https://o1.ingest.example/7", False),
        (f"https://{KEY}@o1.ingest.example/shop", False),
        (f"https://{KEY}@o1.ingest.example:port/7", False),
        (f"postgres://{KEY}@o1.example/7", False),
        ("nonsense", False),
        ("https://[bad/7", False),
    ],
)
def test_a_malformed_dsn_is_said_without_showing_it(text: str, is_fine: bool) -> None:
    problem = check_dsn(text)

    assert (problem is None) == is_fine
    assert is_fine or (problem and "SENTRY_DSN" in problem and KEY not in problem)

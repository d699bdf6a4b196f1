"""What is worth keeping is kept whole; of the rest, the share that was asked for."""

import json
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_guard.demo.collector import RunningCollector
from tests.integration.collector.conftest import Start, scrape, send, span, total, traces, until

MANY: Final = 1000
SERVER: Final = Span.SPAN_KIND_SERVER
CLIENT: Final = Span.SPAN_KIND_CLIENT
SQL: Final = {"db.system.name": "postgresql", "db.query.summary": "SELECT orders"}
# kind -> the one span, below a healthy root, that makes the difference
KEPT: Final[dict[str, dict[str, Any]]] = {
    "error": {"error": "it broke"},
    "exception": {"events": [("exception", {"exception.type": "ValueError"})]},
    "slow": {"attributes": SQL, "kind": CLIENT, "ms": 501},
    "payment": {"attributes": {"payment.provider.name": "stripe"}, "kind": CLIENT},
    "payment host": {"attributes": {"server.address": "api.stripe.com"}, "kind": CLIENT},
    "forced": {"attributes": {"otel_guard.keep": True}},
}
SAMPLED: Final[dict[str, tuple[dict[str, Any], float]]] = {
    "healthy": ({"attributes": SQL, "kind": CLIENT, "ms": 499}, 0.10),
    "noisy": ({"attributes": {"http.request.method": "GET", "url.path": "/healthz"}, "kind": SERVER}, 0.01),
}


def _traces(kind: str, made: Mapping[str, Any], seed: int) -> list[list[Span]]:
    ids = random.Random(seed)
    found = []
    for _ in range(MANY):
        trace = ids.randbytes(16)
        root = span(f"root {kind}", {"http.route": "/pay"}, trace=trace, kind=SERVER)
        found.append([root, *(span(f"{kind} {n}", trace=trace, parent=root.span_id, **made) for n in range(2))])
    return found


def _send_all(running: RunningCollector, every: list[list[Span]]) -> None:
    for at in range(0, len(every), 250):
        assert send(running.otlp_port, "traces", traces([each for one in every[at : at + 250] for each in one])) == 200


def _arrived(start: Start) -> Counter[bytes]:
    found: Counter[bytes] = Counter()
    for line in start.written().splitlines():
        if line.endswith("}"):
            groups = json.loads(line)["resourceSpans"]
            found.update(bytes.fromhex(each["traceId"]) for g in groups for s in g["scopeSpans"] for each in s["spans"])
    return found


def _judged(running: RunningCollector) -> float:
    return total(scrape(running.telemetry_port), "otelcol_processor_tail_sampling_global_count_traces_sampled_total")


@pytest.fixture
def running(start: Start) -> RunningCollector:
    return start(OTEL_GUARD_TRACES_TO="[file/demo]")


def test_each_kind_worth_keeping_arrives_whole_and_so_do_its_late_spans(
    start: Start, running: RunningCollector
) -> None:
    sent = {kind: _traces(kind, made, seed) for seed, (kind, made) in enumerate(KEPT.items())}
    for every in sent.values():
        _send_all(running, every)
    ids = {kind: {one[0].trace_id for one in every} for kind, every in sent.items()}
    until(lambda: _judged(running) >= MANY * len(sent), "all are judged", 40)
    for every in sent.values():
        _send_all(running, [[span("late", trace=one[0].trace_id)] for one in every])
    until(lambda: start.written().count('"late"') == MANY * len(sent), "all late spans")

    arrived = _arrived(start)
    whole = {kind: sum(arrived[each] == 4 for each in of) for kind, of in ids.items()}
    assert whole == dict.fromkeys(KEPT, MANY)


@pytest.mark.parametrize("kind", SAMPLED)
def test_of_the_rest_the_share_asked_for_is_kept_whole(start: Start, running: RunningCollector, kind: str) -> None:
    made, share = SAMPLED[kind]
    every = _traces(kind, made, 77)
    _send_all(running, every)
    until(lambda: _judged(running) >= MANY, "all are judged", 40)
    running.stop()

    arrived = _arrived(start)
    within = 4 * (MANY * share * (1 - share)) ** 0.5
    assert abs(len(arrived) - MANY * share) <= within
    assert set(arrived.values()) == {3}


def test_a_stop_judges_what_is_open(start: Start) -> None:
    running = start({"processors": {"tail_sampling": {"decision_wait": "600s"}}}, OTEL_GUARD_TRACES_TO="[file/demo]")
    child = span("child of a root that never came", parent=b"12345678", error="it broke")

    send(running.otlp_port, "traces", traces([child]))
    running.stop()

    assert "child of a root that never came" in start.written()

import asyncio
from typing import Any

import pytest
from opentelemetry import context, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import StatusCode

from otel_guard.core import semconv
from otel_guard.core.outcome import Facts, Outcome
from otel_guard.instrumentation._engine import (
    ASYNC,
    Call,
    Count,
    Engine,
)
from otel_guard.runtime.suppression import sending
from tests.unit.instrumentation.conftest import MakeWorld, World
from tests.unit.instrumentation.library import ERROR, LIBRARY, table, target


def test_a_call_is_one_span_with_the_context(world: World, client: Any) -> None:
    world.engine.install(table(target("call")))

    assert client.call(3) == 3
    span = world.span()
    assert (span.name, span.kind, span.status.status_code) == ("call it", trace.SpanKind.CLIENT, StatusCode.UNSET)
    assert dict(span.attributes or {}) == {"one": 1, semconv.GUARD_CONTEXT: "payment"}
    assert world.handed == []


def test_a_failure_is_handed_over_before_its_span_ends(make_world: MakeWorld, client: Any) -> None:
    recording = []
    world = make_world(
        handover=lambda span, exc, outcome, _facts: recording.append((span.is_recording(), exc, outcome))
    )
    world.engine.install(table(target("call")))

    with pytest.raises(ValueError, match="boom") as caught:
        client.call(ERROR)

    span = world.span()
    assert caught.value is ERROR
    assert recording == [(True, ERROR, Outcome("failed", error_type="ValueError"))]
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "boom")
    assert (span.attributes or {})[semconv.ERROR_TYPE] == "ValueError"
    assert [dict(event.attributes or {}) for event in span.events] == [
        {semconv.EXCEPTION_TYPE: "ValueError", semconv.EXCEPTION_MESSAGE: "boom"}
    ]


def test_an_exception_without_text_is_no_fault_of_ours(world: World, client: Any) -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    world.engine.install(table(target("call")))
    error = MuteError()

    with pytest.raises(MuteError) as caught:
        client.call(error)

    assert caught.value is error
    assert world.span().status.description == "<unprintable MuteError>"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit])
def test_an_interrupted_charge_is_neither_success_nor_error(
    world: World, client: Any, kind: type[BaseException]
) -> None:
    world.engine.install(table(target("call"), duration="payment.client.operation.duration"))

    with pytest.raises(kind):
        client.call(kind())

    ended = "aborted" if kind in {KeyboardInterrupt, SystemExit} else "cancelled"
    assert world.span().status.status_code is StatusCode.UNSET
    assert (world.span().attributes or {})[semconv.GUARD_OUTCOME] == ended
    assert [outcome.kind for _, _, outcome, _ in world.handed] == ["cancelled"]
    assert world.points("payment.client.operation.duration") == []


def test_other_cancelled_calls_make_no_record(world: World, client: Any) -> None:
    world.engine.install(table(target("call"), context="email"))

    with pytest.raises(KeyboardInterrupt):
        client.call(KeyboardInterrupt())

    assert world.handed == []


def test_calls_of_the_guard_and_suppressed_ones_pass_through(world: World, client: Any) -> None:
    world.engine.install(table(target("call")))

    with sending():
        client.call()
    with suppress_instrumentation():
        client.call()

    assert world.spans() == []


def test_a_call_inside_a_call_of_the_same_library_is_no_span_of_its_own(world: World, client: Any) -> None:
    world.engine.install(table(target("call"), target("outer")))

    client.outer()

    assert len(world.spans()) == 1


def test_nothing_stays_current_after_a_call(world: World, client: Any) -> None:
    world.engine.install(table(target("call"), target("acall", ASYNC), hides_http=True))
    before = context.get_current()

    client.call()
    with pytest.raises(ValueError, match="boom"):
        client.call(ERROR)
    asyncio.run(client.acall())

    assert context.get_current() == before


def test_counts_reach_the_running_call(world: World, client: Any) -> None:
    def add(call: Call, value: int) -> None:
        call.notes["waited"] = call.notes.get("waited", 0) + value

    def on_result(call: Call, _facts: Facts, _value: Any) -> Outcome:
        return Outcome("ok", attributes={"waited": call.notes["waited"], "secret": "x"})

    counted = Count(module=LIBRARY, name="Client.wait", add=add)
    retried = target("retried", on_result=on_result)
    world.engine.install(table(retried, counted, record_only=frozenset({"secret"})))

    assert client.wait() == 1
    assert client.retried() == 2
    assert (world.span().attributes or {})["waited"] == 2
    assert "secret" not in (world.span().attributes or {})


def test_the_gate_alone_may_refuse(make_world: MakeWorld, client: Any) -> None:
    class PausedError(Exception):
        pass

    def gate(_facts: Facts) -> None:
        raise PausedError

    world = make_world(gate=gate, strict=False)
    world.engine.install(table(target("call")))

    with pytest.raises(PausedError):
        client.call()

    assert world.spans() == []


@pytest.mark.parametrize("broken", ["describe", "on_result", "on_error", "handover", "start_span", "end"])
def test_a_fault_of_ours_changes_no_result_and_no_exception(make_world: MakeWorld, client: Any, broken: str) -> None:
    def fault(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    options: dict[str, Any] = {"handover": fault} if broken == "handover" else {}
    if broken == "start_span":
        options["tracer"] = _BrokenTracer()
    world = make_world(strict=False, **options)
    steps: dict[str, Any] = {broken: fault} if broken in {"describe", "on_result", "on_error"} else {}
    world.engine.install(table(target("call", **steps)))
    if broken == "end":
        world.provider.add_span_processor(_BrokenProcessor())

    for _ in range(12):
        assert client.call(ERROR.args) is ERROR.args
        with pytest.raises(ValueError, match="boom") as caught:
            client.call(ERROR)
        assert caught.value is ERROR

    (status,) = world.engine.status()
    assert status.status == "failed"
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert sum(point.value for point in world.points("otel_guard.hook.failures")) == 10


class _BrokenTracer(trace.NoOpTracer):
    """A tracer that fails."""

    def start_span(self, *_: Any, **__: Any) -> Any:
        raise ZeroDivisionError


class _BrokenProcessor(SpanProcessor):
    """A processor of somebody else's that fails."""

    def on_end(self, span: ReadableSpan) -> None:
        raise ZeroDivisionError(span)


def test_opt_in_attributes_stay_away_unless_asked_for(make_world: MakeWorld, client: Any) -> None:
    for opt_in in (frozenset[str](), frozenset({"one"})):
        world = make_world(opt_in=opt_in)
        world.engine.install(table(target("call"), opt_in=frozenset({"one"})))
        client.call()
        assert ("one" in (world.span().attributes or {})) is bool(opt_in)
        world.engine.uninstrument()


def test_the_hundred_and_first_value_of_a_metric_is_other(world: World, client: Any) -> None:
    def numbered(call: Call) -> Facts:
        return Facts("call", {}, {"n": str(call.argument("value"))})

    world.engine.install(table(target("call", describe=numbered), duration="payment.client.operation.duration"))

    for number in range(103):
        client.call(number)

    points = world.points("payment.client.operation.duration")
    assert len(points) == 101
    assert sum(point.count for point in points if point.attributes["n"] == "_OTHER") == 3


def test_without_a_recording_span_the_failure_is_still_handed_over(world: World, client: Any) -> None:
    engine = Engine(
        trace.NoOpTracer(),
        world.meters.get_meter("x"),
        world.failsafe,
        handover=lambda *handed: world.handed.append(handed),
    )
    engine.install(table(target("call")))

    with pytest.raises(ValueError, match="boom"):
        client.call(ERROR)

    ((span, exc, outcome, facts),) = world.handed
    assert (span.is_recording(), exc, outcome.kind) == (False, ERROR, "failed")
    assert facts.attributes[semconv.GUARD_CONTEXT] == "payment"

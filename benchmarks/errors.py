"""One error, from the `except` to where it is safe, at two depths."""

import logging
import os
from collections.abc import Callable
from typing import Any

from benchmarks.deep import failing
from benchmarks.harness import Variant

NEVER_FULL = 100_000
FLUSH_S = 120


def step_of(depth: int, report: Callable[[BaseException], object]) -> Callable[[], None]:
    """Raise through *depth* frames, this one among them, and report."""
    fail = failing(depth - 1)

    def step() -> None:
        try:
            fail(1234, "acme")
        except ValueError as exc:
            report(exc)

    return step


def _raise(depth: int) -> Variant:
    return Variant(step_of(depth, lambda _: None))


def _guard(depth: int, *, storms: bool = False) -> Variant:
    import otel_guard
    from benchmarks import guards

    guard = guards.start(storms=storms)
    return Variant(
        step_of(depth, otel_guard.capture_error),
        guards.flush,
        lambda errors: guards.all_recorded(guard, errors, repeated=storms),
    )


def _sdk(depth: int) -> Variant:
    from opentelemetry import trace

    from benchmarks.spans import Spans

    spans = Spans()
    tracer = trace.get_tracer("bench")

    def report(exc: BaseException) -> None:
        with tracer.start_as_current_span("work") as span:
            span.record_exception(exc)

    return Variant(step_of(depth, report), spans.flush, spans.at_least)


def _sentry(depth: int, *, is_lean: bool = False) -> Variant:
    import sentry_sdk
    from sentry_sdk.transport import HttpTransport

    sent: list[int] = []

    class Nowhere(HttpTransport):
        """Serializes and compresses in its own thread as always; only the request itself is left out."""

        def _send_request(self, body: bytes, *_: Any, **__: Any) -> None:
            sent.append(len(body))

    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        transport=Nowhere,
        transport_queue_size=NEVER_FULL,
        include_local_variables=not is_lean,
        include_source_context=not is_lean,
    )

    def check(errors: int) -> None:
        if len(sent) < errors:
            raise RuntimeError(f"{errors} events were expected, {len(sent)} were made")

    return Variant(step_of(depth, sentry_sdk.capture_exception), lambda: sentry_sdk.flush(FLUSH_S), check)


def _logging(depth: int) -> Variant:
    logger = logging.getLogger("bench")
    logger.addHandler(logging.FileHandler(os.devnull))
    logger.propagate = False
    return Variant(step_of(depth, lambda exc: logger.error("failed", exc_info=exc)))


def guard_10() -> Variant:
    return _guard(10)


def guard_50() -> Variant:
    return _guard(50)


def sdk_10() -> Variant:
    return _sdk(10)


def sdk_50() -> Variant:
    return _sdk(50)


def sentry_10() -> Variant:
    return _sentry(10)


def sentry_50() -> Variant:
    return _sentry(50)


def sentry_lean_10() -> Variant:
    return _sentry(10, is_lean=True)


def sentry_lean_50() -> Variant:
    return _sentry(50, is_lean=True)


def logging_10() -> Variant:
    return _logging(10)


def logging_50() -> Variant:
    return _logging(50)


def raise_10() -> Variant:
    return _raise(10)


def raise_50() -> Variant:
    return _raise(50)


def storm() -> Variant:
    return _guard(10, storms=True)

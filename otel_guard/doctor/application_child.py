"""The process in which an application is imported, to look at what it made."""

import gc
import os
import socket
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

import msgspec
from opentelemetry import propagate, trace

from otel_guard import guard
from otel_guard.capture.tracing import DEFAULT_ENDPOINT, peer
from otel_guard.doctor._base import Finding, Status
from otel_guard.runtime.http import NoAnswerError, post

GROUP: Final = "application"
ASK_S: Final = 4.0
_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"


def main() -> None:
    """Import the module of the first argument; the rows go to the file descriptor of the last."""
    name, network, number = sys.argv[1:]
    with os.fdopen(int(number), "wb", buffering=0) as answers:
        for finding in _findings(name, is_network_allowed=network == "network"):
            answers.write(msgspec.json.encode(finding) + b"\n")
    os._exit(0)  # its threads are not waited for


def _findings(name: str, *, is_network_allowed: bool) -> Iterator[Finding]:
    try:
        import_module(name.partition(":")[0])
    except BaseException as error:
        detail = f"its import failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        yield _row(name, "failed", detail, f"see that `python -c 'import {name.partition(':')[0]}'` works here")
        return
    yield _row(name, "ok", "imported")
    yield _configured()
    yield _provider()
    yield _propagation()
    yield from _engines()
    if is_network_allowed:
        yield from _collector()


def _configured() -> Finding:
    running = guard.running()
    if running is None:
        detail = "it does not call otel_guard.configure()"
        return _row("configure", "warning", detail, "start it with `otel-guard run -- CMD`, or call configure() first")
    status = {each.name: each.status for each in running.engine.status()} if running.engine else {}
    lost = [library for library, said in status.items() if said in {"failed", "unsupported"}]
    if lost:
        return _row("configure", "failed", f"called; not watched: {', '.join(lost)}", "see the group libraries")
    return _row("configure", "ok", f"called; loaded and watched: {', '.join(status) or 'nothing yet'}")


def _provider() -> Finding:
    provider: Any = trace.get_tracer_provider()
    kind = f"{type(provider).__module__}.{type(provider).__qualname__}"
    sampler = getattr(provider, "sampler", None)
    if sampler is None:
        return _row("provider", "ok", f"{kind}: none of its own, ours is made by configure()")
    said = f"{kind}, sampler {sampler.get_description()}"
    if guard.running() is not None and type(sampler).__name__ != "KeepErrorsSampler":
        fix = "call trace.set_tracer_provider before otel_guard.configure()"
        return _row("provider", "warning", f"{said}: set after configure(), its spans do not reach us", fix)
    return _row("provider", "ok", said)


def _propagation() -> Finding:
    carrier: dict[str, str] = {}
    context = trace.SpanContext(trace_id=1, span_id=1, is_remote=False, trace_flags=trace.TraceFlags(1))
    propagate.inject(carrier, trace.set_span_in_context(trace.NonRecordingSpan(context)))
    if "traceparent" in carrier:
        return _row("traceparent", "ok", "is sent along")
    fix = "with Sentry: OTLPIntegration(setup_propagator=False); else put tracecontext into OTEL_PROPAGATORS"
    return _row("traceparent", "failed", "is not sent along: traces end at this process", fix)


def _engines() -> Iterator[Finding]:
    engine_type = getattr(sys.modules.get("sqlalchemy.engine"), "Engine", None)
    if engine_type is None:
        return
    names = sorted(f"{each.dialect.name}+{each.dialect.driver}" for each in _instances(engine_type))
    yield _row("engines", "ok", f"{len(names)} of SQLAlchemy: {', '.join(names)}" if names else "none made yet")


def _instances(kind: type) -> Iterator[Any]:
    # `isinstance` asks `__class__`, which a lazy object may answer with an import or a query.
    return (each for each in gc.get_objects() if issubclass(type(each), kind))


def _collector() -> Iterator[Finding]:
    """Whether HTTP from inside this process reaches what a plain connection reaches."""
    url = f"{(os.environ.get(_ENDPOINT) or DEFAULT_ENDPOINT).rstrip('/')}/v1/traces"
    try:
        socket.create_connection(peer(url) or ("", 0), ASK_S).close()
    except OSError:
        return  # the group collector says so
    try:
        post(url, b"", {"Content-Type": "application/x-protobuf"}, ASK_S)
    except NoAnswerError:
        detail = "the application refuses connections to this address (does it patch urllib3?): no traces, no metrics"
        fix = "set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or give the Collector a public name"
        yield _row("collector from the application", "failed", detail, fix)


def _row(name: str, status: Status, detail: str, fix: str = "") -> Finding:
    return Finding(group=GROUP, name=name, status=status, detail=detail, fix=fix)


if __name__ == "__main__":
    main()

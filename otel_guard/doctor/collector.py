"""The Collector: it takes spans at the address and in the protocol of OTel's own variables."""

import socket
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Final
from urllib.parse import unquote, urlsplit

from otel_guard.capture.tracing import DEFAULT_ENDPOINT, peer
from otel_guard.doctor._base import Finding, Look, Status, skipped
from otel_guard.runtime.http import NoAnswerError, post

GROUP: Final = "collector"
ASK_S: Final = 4.0
GRPC_PORT: Final = 4317
OK: Final = range(200, 300)
_BASE: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_TRACES: Final = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HEADERS: Final = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")
_GRPC: Final = "opentelemetry.exporter.otlp.proto.grpc"
OFF: Final = "set OTEL_TRACES_EXPORTER=none and OTEL_METRICS_EXPORTER=none to export nothing"


def check(look: Look) -> Iterator[Finding]:
    """Send it an empty export."""
    if look.environ.get("OTEL_TRACES_EXPORTER", "otlp") == "none":
        yield _row("absent", "spans are not exported: OTEL_TRACES_EXPORTER=none")
        return
    if not look.is_network_allowed:
        yield skipped(GROUP, "collector")
        return
    url = _url(look.environ)
    protocol = next((look.environ[name] for name in _PROTOCOLS if look.environ.get(name)), "http/protobuf")
    if peer(url) is None:
        yield _row("failed", f"{url} is no address", f"write {_BASE}={DEFAULT_ENDPOINT}")
    elif protocol == "grpc":
        yield _grpc(look, url)
    elif protocol != "http/protobuf":
        yield _row(
            "failed", f"{protocol} is no protocol of the exporters", "write OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
        )
    else:
        yield _http(look, url)


def _http(look: Look, url: str) -> Finding:
    headers = {"Content-Type": "application/x-protobuf", **_headers(look.environ)}
    try:
        answer = post(url, b"", headers, ASK_S)
    except NoAnswerError:
        return _away(look, url, "http/protobuf")
    if answer.status in OK:
        return _row("ok", f"{_shown(url)} takes spans over http/protobuf")
    fix = {
        401: "correct OTEL_EXPORTER_OTLP_HEADERS",
        403: "correct OTEL_EXPORTER_OTLP_HEADERS",
        404: f"write the address without a path into {_BASE}",
    }.get(answer.status, "see the Collector's log")
    return _row("failed", f"{_shown(url)} answers {answer.status}", fix)


def _grpc(look: Look, url: str) -> Finding:
    if find_spec("grpc") is None or not _is_there(_GRPC):
        fix = "pip install opentelemetry-exporter-otlp-proto-grpc, or set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
        return _row("failed", "grpc is asked for, its exporter is not installed", fix)
    try:
        socket.create_connection(peer(url) or ("", 0), ASK_S).close()
    except OSError:
        return _away(look, url, "grpc")
    detail = f"{_shown(url)} is open; grpc is used by an application's own provider only, and does not survive fork"
    return _row("warning", detail, "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, port 4318")


def _away(look: Look, url: str, protocol: str) -> Finding:
    detail = f"nothing answers at {_shown(url)} ({protocol}): no traces, no metrics; errors are kept all the same"
    if not (look.environ.get(_BASE) or look.environ.get(_TRACES)):
        return _row("warning", detail, f"start a Collector there, set {_BASE}, or {OFF}")
    where = peer(url)
    if protocol != "grpc" and where is not None and where[1] == GRPC_PORT:
        return _row("failed", detail, f"port {GRPC_PORT} speaks grpc: write port 4318 into {_BASE}")
    return _row("failed", detail, f"start it, correct {_BASE}, or {OFF}")


def _url(environ: Mapping[str, str]) -> str:
    if traces := environ.get(_TRACES, ""):
        return traces
    return f"{(environ.get(_BASE) or DEFAULT_ENDPOINT).rstrip('/')}/v1/traces"


def _headers(environ: Mapping[str, str]) -> dict[str, str]:
    pairs = (pair.partition("=") for name in _HEADERS for pair in environ.get(name, "").split(",") if "=" in pair)
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}


def _shown(url: str) -> str:
    """Without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False


def _row(status: Status, detail: str, fix: str = "") -> Finding:
    return Finding(group=GROUP, name="collector", status=status, detail=detail, fix=fix)

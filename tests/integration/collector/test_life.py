"""It validates, starts without a warning, and ends."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_guard.demo import collector
from otel_guard.runtime.clock import SYSTEM
from tests.integration.collector.conftest import Sink, Start, scrape, send, span, traces, until, warnings


def test_the_config_is_valid_with_nothing_set(binary: Path, tmp_path: Path) -> None:
    config = collector.files() / "otel-config.yaml"

    done = subprocess.run(
        [binary, "validate", "--config", config], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("traces_to", "metrics_to"),
    [("[debug]", "[prometheus]"), ("[file/demo]", "[prometheus, debug]"), ("[otlp_http/upstream, debug]", "[debug]")],
)
def test_it_starts_and_ends_within_five_seconds_each_without_a_warning(
    start: Start, sink: Sink, traces_to: str, metrics_to: str
) -> None:
    began = SYSTEM.monotonic()
    running = start(
        OTEL_GUARD_TRACES_TO=traces_to, OTEL_GUARD_METRICS_TO=metrics_to, OTEL_GUARD_UPSTREAM_ENDPOINT=sink.url
    )
    up = SYSTEM.monotonic() - began
    assert send(running.otlp_port, "traces", traces([span()])) == 200
    began = SYSTEM.monotonic()
    code = running.stop()
    down = SYSTEM.monotonic() - began

    assert code == 0
    assert (up < 5, down < 5) == (True, True), (up, down)
    assert warnings(running.log_path) == []


def test_with_the_demo_overlay_any_trace_is_in_the_file_within_seconds(start: Start) -> None:
    running = collector.start(
        start.binary,
        collector.files() / "otel-config.yaml",
        env={
            "OTEL_GUARD_TRACES_TO": "[file/demo]",
            "OTEL_GUARD_COLLECTOR_DIR": str(start.folder),
            "OTEL_GUARD_COLLECTOR_FILE": str(start.folder / "out.jsonl"),
        },
        log_path=start.folder / "log",
        overlays=[collector.files() / "demo-overlay.yaml"],
    )
    start.running.append(running)
    send(running.otlp_port, "traces", traces([span(f"healthy {number}") for number in range(20)]))

    until(lambda: start.written().count("healthy") == 20, "all 20", seconds=8)
    until(lambda: "traces_span_metrics_calls_total" in scrape(running.prometheus_port), "metrics", seconds=5)
    assert warnings(running.log_path) == []


def test_ports_of_one_collector_do_not_stop_another(start: Start) -> None:
    first = start()
    second = start(OTEL_GUARD_COLLECTOR_DIR=str(start.folder / "second"))

    assert first.pid != second.pid
    assert first.otlp_port != second.otlp_port
    assert (first.stop(), second.stop(), first.stop()) == (0, 0, 0)
    assert not first.is_running


WEIRD: Final[tuple[object, ...]] = (7, True, b"\xff\x00", [], ["a", 1], {}, {"a": {"b": [1]}}, "", "\x00", "ä" * 5000)


@pytest.mark.parametrize("value", WEIRD, ids=lambda value: type(value).__name__)
def test_no_type_of_any_attribute_is_refused_or_warned_of(start: Start, value: object) -> None:
    text = (collector.files() / "otel-config.yaml").read_text()
    names = sorted(set(re.findall(r'attributes\["([^"]+)"\]', text)))
    running = start(OTEL_GUARD_TRACES_TO="[file/demo]", OTEL_GUARD_KEEP_PERCENT="100")
    every = [span("one", {name: value}, kind=Span.SPAN_KIND_CLIENT, events=[("e", {name: value})]) for name in names]

    assert send(running.otlp_port, "traces", traces(every, dict.fromkeys(names[:30], value))) == 200
    until(lambda: start.written().count("traceId") >= len(every), "all of them")
    assert warnings(running.log_path) == []


def test_every_variable_of_the_config_is_documented() -> None:
    text = (collector.files() / "otel-config.yaml").read_text()
    readme = (collector.files() / "README.md").read_text()
    slow = {name for name in _variables(text) if name.startswith("OTEL_GUARD_SLOW_")}

    assert {name for name in _variables(text) - slow if f"`{name}`" not in readme} == set()
    assert {name for name in slow if name.removeprefix("OTEL_GUARD_SLOW").removesuffix("MS") not in readme} == set()


def _variables(text: str) -> set[str]:
    return set(re.findall(r"\$\{env:(\w+)", text))

"""The process in which the probes run, on providers of its own: one line of JSON a library."""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

import msgspec
from opentelemetry import metrics, trace

from otel_guard.doctor.probing import PROBES, Asked, Probe, Probed
from otel_guard.doctor.receiver import Arrived, Receiver
from otel_guard.guard import Guard, configure
from otel_guard.instrumentation._libraries import LIBRARIES
from otel_guard.settings import Settings
from otel_guard.settings.tree import Instrument
from otel_guard.testing import recorded

FLUSH_MS: Final = 5000
LONGEST: Final = 200


class _Said(logging.Handler):
    """Keeps what the guard logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage()[:LONGEST])


class Bench:
    """A guard that delivers nowhere, and the place where its spans arrive."""

    def __init__(self, asked: Asked) -> None:
        self.receiver = Receiver()
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = self.receiver.url
        self.said = _Said()
        logger = logging.getLogger("otel_guard")
        logger.addHandler(self.said)
        logger.propagate = False
        logging.getLogger().addHandler(logging.NullHandler())  # a library's own words are not the doctor's
        chosen = Instrument(off=asked.off, on=asked.on)
        self.guard: Guard = configure(settings=Settings(console="off", sentry="off", instrument=chosen))
        self.said.lines.clear()

    def probe(self, name: str, probe: Probe) -> Probed:
        """Make both calls."""
        self.said.lines.clear()
        try:
            module = import_module(probe.file)
            server = module.start()
        except Exception as error:
            return self._answer(Probed(name=name, trouble=f"import: {_one_line(error)}"))
        try:
            return self._answer(self._called(name, probe, module, server))
        finally:
            server.stop()

    def _called(self, name: str, probe: Probe, module: Any, server: Any) -> Probed:
        before = self._measured(probe)
        good, trouble, noise = self._call(module.good, server)
        is_traced_on = any("traceparent" in each.headers for each in server.requests) if probe.has_headers else None
        failing, _, records = self._call(module.failing, server)
        own, bad = _own(good, probe.kind), _own(failing, probe.kind)
        return Probed(
            name=name,
            good=tuple(span.name for span in own),
            failing=tuple(span.name for span in bad),
            is_error=any(span.is_error for span in bad),
            scopes=tuple(dict.fromkeys(span.scope for span in own)),
            records=records,
            is_measured=self._measured(probe) > before,
            is_traced_on=is_traced_on,
            noise=noise,
            trouble=f"the call itself failed: {trouble}" if trouble else "",
        )

    def _call(self, function: Callable[[Any], None], server: Any) -> tuple[Sequence[Arrived], str, int]:
        """Call once; the spans that arrived, what it raised, how many records it made."""
        start, trouble = len(self.receiver.spans), ""
        with recorded() as records:
            try:
                function(server)
            except Exception as error:
                trouble = _one_line(error)
        provider: Any = trace.get_tracer_provider()
        provider.force_flush(FLUSH_MS)
        return self.receiver.spans[start:], trouble, len(records)

    def _measured(self, probe: Probe) -> int:
        meters: Any = metrics.get_meter_provider()
        meters.force_flush(FLUSH_MS)
        return self.receiver.points[probe.metric] if probe.metric else 0

    def _answer(self, probed: Probed) -> Probed:
        engine = self.guard.engine
        status = next((each for each in engine.status() if each.name == probed.name), None) if engine else None
        changes: dict[str, Any] = {"said": tuple(self.said.lines), "requires": _requires(probed.name)}
        if status is not None:
            changes |= {"status": status.status, "detail": status.detail}
        return msgspec.structs.replace(probed, **changes)


def main() -> None:
    """Read what is asked from the first argument, write the answers to the file descriptor in the second."""
    asked = msgspec.json.decode(sys.argv[1], type=Asked)
    with os.fdopen(int(sys.argv[2]), "wb", buffering=0) as answers:
        bench = Bench(asked)
        for name in asked.names:
            answers.write(msgspec.json.encode(bench.probe(name, PROBES[name])) + b"\n")
    os._exit(0)  # a library's threads are not waited for


def _requires(name: str) -> str:
    library = next(each for each in LIBRARIES if each.name == name)
    with suppress(Exception):
        return str(getattr(import_module(library.file), library.table).requires)
    return ""


def _own(spans: Sequence[Arrived], kind: str) -> list[Arrived]:
    """Those of the library, without HTTP requests below them."""
    ids = {span.id for span in spans}
    return [span for span in spans if span.kind == kind and not (span.is_http and span.parent in ids)]


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())[:LONGEST]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


if __name__ == "__main__":
    main()

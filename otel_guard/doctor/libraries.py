"""A real call of each library that is watched: did its span arrive, how often, with its error and its metric."""

import os
import re
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

import msgspec
import opentelemetry.instrumentation.auto_instrumentation as start_up

from otel_guard.doctor._base import Finding, Look
from otel_guard.doctor.probing import PROBES, Asked, Probed
from otel_guard.instrumentation._libraries import LIBRARIES, Library
from otel_guard.runtime.clock import SYSTEM

GROUP: Final = "libraries"
EACH_S: Final = 30.0  # the first one pays for the start of the process
_KEPT: Final = frozenset({"OTEL_SEMCONV_STABILITY_OPT_IN", "OTEL_PROPAGATORS"})
_GONE: Final = frozenset(
    {"SENTRY_DSN", "SLACK_WEBHOOK_URL", "MAKE_WEBHOOK_URL", "DJANGO_SETTINGS_MODULE", "TRACEPARENT"}
)
_AT_LEAST: Final = re.compile(r">=\s*([\d.]+)")


def check(look: Look) -> Iterator[Finding]:
    """Probe what is installed and on."""
    group = look.settings.instrument
    names = []
    for library in LIBRARIES:
        if library.name in group.off:
            yield _finding(library, "absent", "switched off by instrument.off")
        elif not _exists(library.trigger):
            yield _finding(library, "absent", "not installed")
        elif library.is_opt_in and library.name not in group.on:
            yield _finding(library, "absent", "opt-in: name it in OTEL_GUARD_INSTRUMENT_ON to watch it")
        elif library.name not in PROBES:
            yield _finding(library, "ok", "watched, not probed")
        else:
            names.append(library.name)
    by_name = {library.name: library for library in LIBRARIES}
    for probed in probe(names, off=group.off, on=group.on, environ=look.environ):
        yield judged(by_name[probed.name], probed)


def probe(
    names: list[str], *, off: tuple[str, ...], on: tuple[str, ...], environ: Mapping[str, str]
) -> Iterator[Probed]:
    """Probe *names* one after another; one that ends or blocks the process costs itself only."""
    left = list(names)
    while left:
        answered = 0
        with tempfile.TemporaryFile() as errors:
            for probed in _run(Asked(names=tuple(left), off=off, on=on), environ, errors):
                answered += 1
                yield probed
            if answered < len(left):
                yield Probed(name=left[answered], trouble=f"the probe did not come to its end{_last(errors)}")
        left = left[answered + 1 :]


def judged(library: Library, probed: Probed) -> Finding:
    """The row of one library."""
    installed = _version(library)
    least = _AT_LEAST.search(probed.requires)
    is_old = least is not None and installed != "" and _number(installed) < _number(least[1])
    if is_old and (probed.status not in {"watched", "partial"} or not probed.good):
        detail = f"out of range ({probed.requires}): its calls are not watched" + _because(probed)
        return _finding(library, "failed", detail, f"install {probed.requires.replace(' ', '')}")
    if probed.status == "unsupported":
        fix = "install another version of it, or report it: its inner names have changed"
        return _finding(library, "failed", f"its calls are not watched: {probed.detail}", fix)
    if probed.status == "failed" or probed.trouble:
        said = probed.trouble or "; ".join((*filter(None, (probed.detail,)), *probed.said)) or "could not be watched"
        fix = f"see that `python -c 'import {library.trigger}'` works, or set OTEL_GUARD_INSTRUMENT_OFF={library.name}"
        return _finding(library, "failed", said, fix)
    return _spans(library, probed)


def _spans(library: Library, probed: Probed) -> Finding:
    counts = {len(probed.good), len(probed.failing)}
    if 0 in counts:
        fix = f"set OTEL_GUARD_INSTRUMENT_OFF={library.name} and report it, with both versions"
        which = "a call" if not probed.good else "a failing call"
        return _finding(library, "failed", f"{which} made no span{_because(probed)}", fix)
    if counts != {1}:
        makers = ", ".join(probed.scopes)
        fix = "stop the second instrumentation, or set OTEL_GUARD_INSTRUMENT_OFF=" + library.name
        return _finding(library, "failed", f"{max(counts)} spans a call (by {makers}): each is counted twice", fix)
    missing = [
        name
        for name, is_there in (
            ("the failing call is not marked as one", probed.is_error),
            ("the failing call makes no record", probed.records > 0),
            ("the good call makes a record", probed.noise == 0),
            ("its metric does not arrive", probed.is_measured or PROBES[library.name].metric is None),
            ("traceparent is not sent along", probed.is_traced_on is not False),
        )
        if not is_there
    ]
    if missing:
        return _finding(library, "failed", "; ".join(missing), "report it, with both versions")
    if probed.records > 1:
        return _finding(library, "failed", f"{probed.records} records of one failing call", "report it")
    if probed.status == "partial":
        return _finding(library, "warning", f"watched in part: {probed.detail}", "install a version that has them")
    measured = ", metric" if PROBES[library.name].metric else ""
    return _finding(library, "ok", f"1 span a call, error, record{measured}")


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing in it leads to the user's providers, Postgres, Sentry or channels."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in _KEPT or not (name.startswith(("OTEL_", "OTEL_GUARD_")) or name in _GONE)
    }
    folder = str(Path(start_up.__file__).parent)
    path = [part for part in kept.get("PYTHONPATH", "").split(os.pathsep) if part and part != folder]
    kept |= {"PYTHONPATH": os.pathsep.join(path), "NO_PROXY": "*", "no_proxy": "*", "PYTHONWARNINGS": "ignore"}
    return kept


def _run(asked: Asked, environ: Mapping[str, str], errors: IO[bytes]) -> Iterator[Probed]:
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "otel_guard.doctor.child", msgspec.json.encode(asked).decode(), str(writing)]
    with os.fdopen(reading, "rb", buffering=0) as answers:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            command,
            env=child_environment(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=(writing,),
        )
        os.close(writing)
        try:
            yield from map(_decoded, _lines(answers))
        finally:
            process.kill()
            process.wait()


def _lines(answers: IO[bytes]) -> Iterator[bytes]:
    until, rest = SYSTEM.monotonic() + EACH_S, b""
    while select.select([answers], [], [], max(until - SYSTEM.monotonic(), 0))[0]:
        part = answers.read(65536)
        if not part:
            return
        *lines, rest = (rest + part).split(b"\n")
        if lines:
            until = SYSTEM.monotonic() + EACH_S
            yield from lines


def _decoded(line: bytes) -> Probed:
    return msgspec.json.decode(line, type=Probed)


def _last(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = [line for line in errors.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return f": {lines[-1][:200]}" if lines else f" within {EACH_S:g} s"


def _because(probed: Probed) -> str:
    why = probed.detail or probed.trouble or "; ".join(probed.said)
    return f" ({why})" if why else ""


def _finding(library: Library, status: str, detail: str, fix: str = "") -> Finding:
    finding = {"group": GROUP, "name": library.name, "status": status, "detail": detail, "fix": fix}
    return msgspec.convert({**finding, "version": _version(library)}, Finding)


def _version(library: Library) -> str:
    probe_of = PROBES.get(library.name)
    for name in (library.name, *((probe_of.distribution,) if probe_of and probe_of.distribution else ())):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return ""


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _exists(trigger: str) -> bool:
    try:
        return find_spec(trigger) is not None
    except (ImportError, ValueError):
        return False

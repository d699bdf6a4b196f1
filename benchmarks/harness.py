"""Variants take turns (A B C, C B A, …), one process each; every ratio is of two figures of the same round."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

Figure = Mapping[str, float]  # caller_us, process_us
Column = Literal["caller_us", "process_us"]
LIMIT_S = 300
ROOT = Path(__file__).parent.parent


def _nothing() -> None:
    pass


def _anything(_: int) -> None:
    pass


class Variant(NamedTuple):
    """*step* is measured; *flush* waits for other threads; *check* raises if *n* steps did not do what they claim."""

    step: Callable[[], object]
    flush: Callable[[], object] = _nothing
    check: Callable[[int], None] = _anything
    units: int = 1  # of what the figure is about, in a step


class Target(NamedTuple):
    """*measure* takes the figures of one round, by function, and may at most (or must at least) be *limit*."""

    says: str
    measure: Callable[[Mapping[str, float]], float]
    limit: float
    unit: str = "x"
    at_least: bool = False
    column: Column = "caller_us"


@dataclass
class Row:
    """One table: *variants* are (function, name), the first is what the others are compared with."""

    title: str
    module: str
    variants: list[tuple[str, str]]
    count: int
    targets: list[Target] = field(default_factory=list)
    note: str = ""
    has_ratios: bool = True  # against nothing at all there is none
    figures: dict[str, list[Figure]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)


def run(row: Row, dsn: str, rounds: int) -> None:
    """Fill in *row*."""
    for number in range(rounds):
        for function, _ in row.variants if number % 2 == 0 else reversed(row.variants):
            if function in row.missing:
                continue
            found = child("benchmarks.variant", [row.module, function, str(row.count)], dsn)
            if found is None:
                row.missing.add(function)
            else:
                row.figures.setdefault(function, []).append(found)


def child(module: str, arguments: list[str], dsn: str) -> Figure | None:
    """Run *module* in a process of its own, with nothing of this one's settings; what it prints last is the result,

    None if a package is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="otel-guard-bench-") as folder:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "SENTRY_"))}
        environ = clean | {
            "PYTHONPATH": str(ROOT),
            "OTEL_GUARD_JOURNAL_DIR": folder,
            "OTEL_GUARD_DSN": dsn,
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
        }
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=environ,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    if done.returncode != 0 or not done.stdout.strip():
        raise RuntimeError(f"{module} {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    found: Figure | None = json.loads(done.stdout.strip().splitlines()[-1])
    return found

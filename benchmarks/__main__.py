"""Run every row and write docs/benchmarks.md."""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Figure, Target, child, run
from benchmarks.page import Verdict, judged, table, targets, verdicts
from benchmarks.rows import rows
from otel_guard.demo import postgres
from otel_guard.journal.place import is_durable
from otel_guard.store.migrate import migrate

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
SHARE = Target("of raw COPY of the same rows in the same run", lambda _: 0, 0.2, at_least=True)
PACED = Target("process CPU an error, raising included", lambda _: 0, 100, "µs")
TOLD = Target("p99", lambda _: 0, 2, "s")
STARTED = Target("of SDK + OTLP/http", lambda _: 0, 1.3)
HELD = Target("of SDK + OTLP/http", lambda _: 0, 1.25)
THREADS = Target("at most", lambda _: 0, 4, "threads")
CONNECTIONS = Target("at most", lambda _: 0, 1, "connections")
ANSWERED = Target("p99", lambda _: 0, 5, "ms")


def main() -> None:
    """Measure; `--only` and `--rounds` are for a quick look, and then `--to` says where it goes."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, and write docs/benchmarks.md.")
    asked.add_argument("--rounds", type=int, default=5, help="how often each variant takes its turn")
    asked.add_argument("--only", default="", help="only the rows whose title holds this text")
    asked.add_argument("--to", type=Path, default=PAGE, help="the file to write")
    options = asked.parse_args()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="otel-guard-bench-") as folder:
        print("starting a Postgres …", flush=True)
        server = postgres.start(Path(folder) / "postgres")
        try:
            migrate(server.dsn)
            lines = list(_page(server.dsn, options.rounds, options.only.lower()))
        finally:
            server.close()
    options.to.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"written in {time.perf_counter() - begun:.0f} s: {os.path.relpath(options.to)}")


def _page(dsn: str, rounds: int, only: str) -> Iterator[str]:
    yield from _head(rounds)
    found: list[Verdict] = []
    wanted = [row for row in rows() if only in row.title.lower()]
    for number, row in enumerate(wanted, 1):
        print(f"[{number}/{len(wanted)}] {row.title} …", flush=True)
        run(row, dsn, rounds)
        yield from _shown(list(table(row)))
        found += verdicts(row)
    if only in "errors a second":
        print("Errors a second …", flush=True)
        lines, more = _throughput(dsn, min(rounds, 3))
        yield from _shown(lines)
        found += more
    if only in "an idle process":
        print("An idle process …", flush=True)
        lines, more = _idle(dsn, min(rounds, 3))
        yield from _shown(lines)
        found += more
    if only in "early warning":
        print("Early warning …", flush=True)
        lines, more = _warning(dsn)
        yield from _shown(lines)
        found += more
    yield from _shown(list(targets(found)))


def _head(rounds: int) -> Iterator[str]:
    disk = "on disk" if is_durable(Path(tempfile.gettempdir())) else "in memory (the temporary folder is no disk)"
    yield from ("# Benchmarks", "")
    yield (
        f"Written by `make bench`. Variants take turns in one run, a process each, {rounds} rounds; figures are medians; "
        "a ratio is of two figures of the same round, against the first line. Caller's thread: `time.thread_time_ns`. "
        "Whole process: `time.process_time_ns` until other threads are done too, so what ours burn of the application's "
        "time is in it. What a variant claims is checked afterwards: each error is a record on disk and a row, each call a span."
    )
    yield ""
    yield (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}; journal {disk}; "
        "a private Postgres on the same cores, without fsync. Absolute times are this machine's; compare ratios."
    )
    yield ""


def _throughput(dsn: str, rounds: int) -> tuple[list[str], list[Verdict]]:
    pairs = [(_measured("guard", dsn), _measured("copy", dsn)) for _ in range(rounds)]
    paced = statistics.median(_measured("paced", dsn)["process_us"] for _ in range(rounds))
    share = statistics.median(ours["per_s"] / raw["per_s"] for ours, raw in pairs)
    captured, ours, raw, size = (
        statistics.median(pair[side][key] for pair in pairs)
        for side, key in ((0, "captured_per_s"), (0, "per_s"), (1, "per_s"), (1, "row_bytes"))
    )
    title = "Errors a second, from the `except` to the row"
    lines = [
        f"## {title}",
        "",
        (
            f"20,000 errors of depth 10 by one thread, rows of {size / 1000:.1f} kB; every one is in Postgres once, "
            "grouped and counted by hour."
        ),
        "",
        "| | errors/s | of raw COPY |",
        "|---|---:|---:|",
        f"| raw COPY, no index, no conflict handling, rows ready made | {raw:,.0f} | 1.00 |",
        f"| otel-guard, raised, captured and stored | {ours:,.0f} | {share:.2f} |",
        f"| … captured, while it is being stored | {captured:,.0f} | |",
        "",
        f"At a steady 1,000 errors a second: {paced:.0f} µs of the process's CPU an error.",
        "",
    ]
    return lines, [judged(title, SHARE, share), judged("Client CPU at 1,000 errors/s", PACED, paced)]


def _warning(dsn: str) -> tuple[list[str], list[Verdict]]:
    told, asked = _measured("to_slack", dsn, "benchmarks.warning"), _measured("answers", dsn, "benchmarks.warning")
    title = "Early warning"
    lines = [
        f"## {title}",
        "",
        (
            "200 critical errors one after the other, each an incident of its own in Postgres and a message to a Slack "
            "stand-in on this machine; the time is from `capture_error` to the arrival of the request. `/health` is "
            "2,000 answers from the snapshot, in the thread of the request."
        ),
        "",
        "| | p50 | p99 |",
        "|---|---:|---:|",
        f"| critical error to Slack's socket | {told['p50_s'] * 1000:.0f} ms | {told['p99_s'] * 1000:.0f} ms |",
        f"| one `/health` | {asked['p50_ms']:.3f} ms | {asked['p99_ms']:.3f} ms |",
        "",
    ]
    return lines, [
        judged("Critical error to Slack's socket", TOLD, told["p99_s"]),
        judged("One `/health`", ANSWERED, asked["p99_ms"]),
    ]


def _idle(dsn: str, rounds: int) -> tuple[list[str], list[Verdict]]:
    names = {"nothing": "a bare interpreter", "sdk": "SDK, OTLP over HTTP", "guard": "otel-guard, the same exporters"}
    found = {name: [_measured(name, dsn, "benchmarks.idle") for _ in range(rounds)] for name in names}

    def of(name: str, key: str) -> float:
        return statistics.median(figure[key] for figure in found[name])

    title = "An idle process"
    lines = [
        f"## {title}",
        "",
        (
            "After start; the guard's after 8 s more, when it has told Postgres that it lives. Its connection is closed "
            "after a minute without use."
        ),
        "",
        "| | start, ms | memory, MB | threads | of these ours | open files | connections |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {shown} | {of(name, 'start_ms'):.0f} | {of(name, 'rss_mb'):.1f} | {of(name, 'threads'):.0f} | "
            f"{of(name, 'our_threads'):.0f} | {of(name, 'files'):.0f} | {of(name, 'connections'):.0f} |"
            for name, shown in names.items()
        ),
        "",
    ]
    return lines, [
        judged("Start, imports included", STARTED, of("guard", "start_ms") / of("sdk", "start_ms")),
        judged("Memory after start", HELD, of("guard", "rss_mb") / of("sdk", "rss_mb")),
        judged("Threads of ours, idle", THREADS, of("guard", "our_threads")),
        judged("Connections, idle", CONNECTIONS, of("guard", "connections")),
    ]


def _measured(name: str, dsn: str, module: str = "benchmarks.throughput") -> Figure:
    found = child(module, [name], dsn)
    if found is None:
        raise RuntimeError("psycopg is not installed")
    return found


def _shown(lines: list[str]) -> list[str]:
    print("\n".join(lines), flush=True)
    return lines


if __name__ == "__main__":
    main()

"""All parts of the demo started in order, each told as it stands."""

import queue
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from otel_guard.core.exceptions import OtelGuardError
from otel_guard.demo import collector, parts, postgres
from otel_guard.demo.events import Began, Event, Note, Options, Ready
from otel_guard.demo.judge import Found
from otel_guard.demo.processes import CommandError, Output, call, script
from otel_guard.demo.watching import EVERY, JOB, Monitor, health_line
from otel_guard.runtime.clock import Clock
from otel_guard.store.audit import rows_by_trace

SAY_POLL_S: Final = 0.2

T = TypeVar("T")
Telling = Generator[Event, None, T]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What runs."""

    postgres: postgres.Postgres
    traces: parts.Traces
    others: parts.StandIns
    shop: parts.Shop
    monitor: Monitor
    env: Mapping[str, str]

    def found(self) -> Found:
        """What there is of every trace, now."""
        rows = rows_by_trace(self.postgres.dsn)
        return Found(rows=rows, sentry=self.others.sentry.ids_by_trace(), traces=self.traces.ids())

    def guard(self, *arguments: str, **env: str) -> str:
        """What `otel-guard` with *arguments* prints; CommandError if it fails."""
        return guard(arguments, {**self.env, **env})

    def drained(self) -> Output:
        """Deliver what dead processes left; its exit code is 1 where something stays."""
        return call([script("otel-guard"), "drain", "--json"], env=self.env)

    @property
    def health(self) -> str:
        """What `otel-guard health` says now, in a line."""
        return health_line(self.env)

    @property
    def addresses(self) -> dict[str, str]:
        """Where each part listens."""
        return {
            "shop": self.shop.url,
            "Postgres": self.postgres.dsn,
            self.traces.name: self.traces.endpoint,
            "Stripe": self.others.stripe.url,
            "OpenAI": self.others.openai.url,
            "Sentry": self.others.sentry.dsn,
            "Slack": self.others.slack.url,
            "SMTP": f"127.0.0.1:{self.others.smtp.port}",
        }


def started(options: Options, closing: ExitStack, clock: Clock) -> Telling[Stage]:
    """Start all parts; *closing* ends them, the shop first."""
    logs = closing.enter_context(parts.alone(options.folder))

    def told(name: str, make: Callable[[], T], detail: Callable[[T], str]) -> Telling[T]:
        began = clock.monotonic()
        yield Began(name)
        made = make()
        yield Ready(name, detail(made), clock.monotonic() - began)
        return made

    def closed(part: T, close: Callable[[T], object]) -> T:
        closing.callback(close, part)
        return part

    database = yield from told(
        "Postgres",
        lambda: closed(postgres.start(logs), postgres.Postgres.close),
        lambda made: made.dsn,
    )
    binary = yield from _found_collector(build=options.build_collector)
    traces = yield from told(
        "Collector",
        lambda: closed(_traces(binary, options.folder, logs), lambda made: made.stop()),
        lambda made: f"{made.endpoint}, the {made.name}",
    )
    others = yield from told(
        "stand-ins",
        lambda: closed(parts.start_stand_ins(), parts.StandIns.stop),
        lambda _: "Stripe, OpenAI, SMTP, Sentry, Slack",
    )
    env = parts.shop_environment(database.dsn, traces, others, options.folder)
    yield from told("tables", lambda: guard(["migrate"], env), lambda _: "otel-guard migrate")
    shop = parts.Shop(env=env, port=parts.free_port(), log=logs / "shop.log")
    closing.callback(shop.stop)
    yield from told(
        "shop",
        lambda: shop.await_ready(clock),
        lambda _: f"{shop.url} by otel-guard run -- gunicorn -w {parts.WORKERS}",
    )
    monitor = Monitor(env, options.folder, logs / "monitor.log")
    closing.callback(monitor.stop)
    yield from told(
        "monitor",
        lambda: monitor.await_leading(clock),
        lambda _: f"otel-guard monitor; the job `{JOB}` beats for the first and last time",
    )
    guard(["heartbeat", JOB, "--every", EVERY], env)
    return Stage(postgres=database, traces=traces, others=others, shop=shop, monitor=monitor, env=env)


def guard(arguments: list[str] | tuple[str, ...], env: Mapping[str, str]) -> str:
    """What `otel-guard` with *arguments* prints; CommandError if it fails."""
    done = call([script("otel-guard"), *arguments], env=env)
    if done.code:
        why = f"{done.text}{done.errors}".strip()
        raise CommandError(f"`otel-guard {' '.join(arguments)}` ended with {done.code}: {why}")
    return done.text


def _traces(binary: Path | None, folder: Path, logs: Path) -> parts.Traces:
    if binary is None:
        return parts.CountedTraces(folder / "traces.txt")
    return parts.CollectorTraces(binary, folder / "collector", logs / "collector.log")


def _found_collector(*, build: bool) -> Telling[Path | None]:
    """The Collector's binary; a build can take minutes, so what it says is told while it says it."""
    said: queue.SimpleQueue[str] = queue.SimpleQueue()
    result: list[Path | None] = []

    def find() -> None:
        try:
            result.append(collector.find(build, said.put))
        except OtelGuardError as error:
            said.put(str(error))

    thread = threading.Thread(target=find, name="collector", daemon=True)
    thread.start()
    while thread.is_alive() or not said.empty():
        try:
            yield Note(said.get(timeout=SAY_POLL_S))
        except queue.Empty:
            continue
    if not result or result[0] is None:
        yield Note("no Collector can be had here: a small OTLP counter takes its place")
        return None
    return result[0]

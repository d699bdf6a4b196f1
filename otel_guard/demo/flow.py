"""The demo from nothing to the verdict, told as events; every part is ended when the generator is closed."""

import json
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Final

import msgspec

from otel_guard.demo import scenario
from otel_guard.demo.events import Event, Heard, Judged, Kept, Next, Note, Options, Progress, Shown
from otel_guard.demo.faults import ALL
from otel_guard.demo.judge import Row, Sent, Summary, judged
from otel_guard.demo.processes import CommandError
from otel_guard.demo.stage import Stage, started
from otel_guard.demo.traffic import Customers
from otel_guard.demo.watching import JOB, SILENCE_LIMIT_S, Watched, told, watched
from otel_guard.runtime.clock import SYSTEM, Clock

SETTLE_LIMIT_S: Final = 60.0
QUIET_S: Final = 3.0  # for what comes twice to come twice
POLL_S: Final = 0.5
SHOWN_FAULT: Final = "Stripe answers 500"


def run(options: Options, clock: Clock = SYSTEM) -> Iterator[Event]:
    """Run the demo; the verdict is the event `Judged`. Closing the generator (Ctrl-C too) ends all that was started."""
    began = clock.monotonic()
    with ExitStack() as closing:
        stage = yield from started(options, closing, clock)
        customers, beat_at, health = Customers(stage.shop.port), clock.monotonic(), dict[str, str]()
        yield from scenario.play(stage, customers, health, lasting_s=options.traffic_s, clock=clock)
        yield from _settled(stage, customers.sent, clock)
        yield from _silence_found(stage, beat_at, clock)
        health["after"] = stage.health
        left: int | None = None
        if not options.keep:
            stage.shop.stop()
            left = yield from _left(stage)
        rows = judged(ALL, customers.sent, stage.found())
        seen = watched(health, told(stage.postgres.dsn), stage.others.slack)
        summary = _summary(rows, left, stage.traces.name, seen, clock.monotonic() - began)
        _write(options, summary)
        yield Judged(summary)
        yield Heard(seen, tuple(message.text for message in stage.others.slack.messages))
        yield from _one_in_full(stage, customers.sent, options.width)
        yield Next(_next(stage, keep=options.keep))
        if options.keep:
            yield Kept(stage.addresses)
            while True:
                clock.sleep(1.0)


def _settled(stage: Stage, sent: list[Sent], clock: Clock) -> Generator[Event, None, None]:
    """Wait until nothing is missing, then a little longer; at most `SETTLE_LIMIT_S`."""
    began = clock.monotonic()
    quiet_since: float | None = None
    while (waited := clock.monotonic() - began) < SETTLE_LIMIT_S:
        rows = judged(ALL, sent, stage.found())
        missing = sum(row.lost for row in rows)
        if missing:
            quiet_since = None
        elif quiet_since is None:
            quiet_since = waited
        elif waited - quiet_since >= QUIET_S:
            return
        share = 1.0 if not missing else 1.0 - missing / max(1, missing + sum(row.rows for row in rows))
        yield Progress(
            "settling", share, f"{missing} still on their way" if missing else "all there; watching for doubles"
        )
        clock.sleep(POLL_S)


def _silence_found(stage: Stage, beat_at: float, clock: Clock) -> Generator[Event, None, None]:
    """Wait until somebody heard of the job that no longer runs."""
    while (waited := clock.monotonic() - beat_at) < SILENCE_LIMIT_S:
        if any(JOB in message.shown for message in stage.others.slack.messages):
            return
        yield Progress("silence", waited / SILENCE_LIMIT_S, f"the job `{JOB}` is due; who notices that it did not run?")
        clock.sleep(POLL_S)


def _left(stage: Stage) -> Generator[Event, None, int | None]:
    """Records that stay in journals after `otel-guard drain`; None where it could not say."""
    done = stage.drained()
    try:
        return int(json.loads(done.text)["left"])
    except (ValueError, KeyError, TypeError):
        yield Note(f"otel-guard drain ended with {done.code}: {done.text}{done.errors}".strip())
        return None


def _summary(rows: tuple[Row, ...], left: int | None, traces_from: str, seen: Watched, seconds: float) -> Summary:
    return Summary(
        faults=rows,
        injected=sum(row.injected for row in rows),
        lost=sum(row.lost for row in rows),
        doubled=sum(row.doubled for row in rows),
        misfired=sum(row.misfired for row in rows),
        left_in_journal=left,
        traces_from=traces_from,
        seconds=round(seconds, 1),
        watched=seen,
    )


def _write(options: Options, summary: Summary) -> None:
    text = msgspec.json.format(msgspec.json.encode(summary), indent=2)
    (options.folder / "summary.json").write_bytes(text + b"\n")


def _one_in_full(stage: Stage, sent: list[Sent], width: int) -> Generator[Event, None, None]:
    """One error as `otel-guard errors ID` shows it."""
    trace_id = next((one.trace_id for one in reversed(sent) if one.fault == SHOWN_FAULT), "")
    try:
        errors = json.loads(stage.guard("errors", "--trace", trace_id, "--json"))["errors"]
        if errors:
            text = stage.guard("errors", errors[0]["id"], FORCE_COLOR="1", COLUMNS=str(width))
            yield Shown(f"otel-guard errors {errors[0]['id']}", text)
    except (CommandError, ValueError, KeyError) as error:
        yield Shown("otel-guard errors", f"could not be shown: {error}")


def _next(stage: Stage, *, keep: bool) -> dict[str, str]:
    if not keep:
        return {
            "make demo KEEP=1": "the same, and all of it keeps running for you to look at",
            "otel-guard migrate": "make the tables in your own Postgres (OTEL_GUARD_DSN)",
            "otel-guard run -- CMD": "start your application, watched, without a line of code",
            "examples/flask_checkout/README.md": "the shop you just saw, and the two lines of code",
        }
    return {
        f"export OTEL_GUARD_DSN={stage.postgres.dsn}": "point the commands at this demo",
        "otel-guard errors": "what failed, worst first",
        "otel-guard slow": "the slow queries",
        "otel-guard status": "the processes that deliver",
        "otel-guard alerts": "the incidents, and who was told",
        "otel-guard health": "what the shop depends on, and how that is",
        "otel-guard runbook high-error-rate": "what to do, with what happened here",
        f"curl -i {stage.shop.url}labs/price-tags": "set off one more",
    }

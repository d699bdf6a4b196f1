"""Whether each failure that was set off is found once: pure, by trace id."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from otel_guard.demo.faults import Call, Fault
from otel_guard.demo.watching import Watched


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One request that was sent; status 0: the connection was cut before an answer."""

    fault: str
    call: Call
    trace_id: str
    status: int

    @property
    def is_as_meant(self) -> bool:
        """Whether the fault fired, as far as a customer sees it."""
        return self.status in self.call.statuses


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What there is, by trace id: (errors, slow calls) in Postgres; ids of Sentry events; traces of the Collector."""

    rows: Mapping[str, tuple[int, int]]
    sentry: Mapping[str, AbstractSet[str]]
    traces: AbstractSet[str]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of the table; *cut*: never answered, nothing of it; *problems* name each trace that is wrong."""

    fault: str
    injected: int
    cut: int
    rows: int
    traces: int
    sentry_events: int
    lost: int
    doubled: int
    misfired: int
    is_traced: bool
    problems: tuple[str, ...]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The whole run; `schema` is of `.demo/summary.json`."""

    schema: str = "otel_guard.demo.v1"
    faults: tuple[Row, ...]
    injected: int
    lost: int
    doubled: int
    misfired: int
    left_in_journal: int | None
    traces_from: str
    seconds: float
    watched: Watched

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost or doubled, every fault fired, and people heard of it."""
        return not (self.lost or self.doubled or self.misfired or self.left_in_journal) and self.watched.is_good


def judged(faults: Iterable[Fault], sent: Sequence[Sent], found: Found) -> tuple[Row, ...]:
    """Compare what was *sent* with what was *found*, a row a fault."""
    return tuple(_row(fault, [one for one in sent if one.fault == fault.name], found) for fault in faults)


def _row(fault: Fault, sent: Sequence[Sent], found: Found) -> Row:
    lost, doubled, problems = 0, 0, []
    for one in sent:
        for what, expected, actual in _compared(fault, one, found):
            lost += max(0, expected.start - actual)
            doubled += max(0, actual - expected.stop + 1)
            if actual not in expected:
                problems.append(f"{one.trace_id}: {actual} {what}, status {one.status}")
    misfired = [one for one in sent if one.status and not one.is_as_meant]
    problems += [f"{one.trace_id}: {one.call.path} answered {one.status}" for one in misfired]
    ids = [one.trace_id for one in sent]
    cut = sum(1 for one in sent if not one.status and one.trace_id not in found.rows)
    return Row(
        fault=fault.name,
        injected=len(sent) - cut,
        cut=cut,
        rows=sum(sum(found.rows.get(trace_id, (0, 0))) for trace_id in ids),
        traces=len(found.traces & set(ids)),
        sentry_events=sum(len(found.sentry.get(trace_id, ())) for trace_id in ids),
        lost=lost,
        doubled=doubled,
        misfired=len(misfired) + (not sent),
        is_traced=fault.is_traced,
        problems=tuple(problems),
    )


def _compared(fault: Fault, one: Sent, found: Found) -> Iterable[tuple[str, range, int]]:
    """What, how often it may be there, how often it is; of a request cut in two nothing need be there."""
    needed: Callable[[int], range] = (lambda n: range(n, n + 1)) if one.status else (lambda n: range(n + 1))
    errors, slow = found.rows.get(one.trace_id, (0, 0))
    yield "errors", needed(fault.errors), errors
    yield "slow calls", needed(fault.slow), slow
    yield "Sentry events", needed(fault.sentry), len(found.sentry.get(one.trace_id, ()))
    if fault.is_traced and one.status:
        yield "traces", range(1, 2), int(one.trace_id in found.traces)

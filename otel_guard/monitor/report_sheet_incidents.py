"""The report's section of incidents: what fired, how fast, and which rule is too loud."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from otel_guard.core.response_times import OVERALL
from otel_guard.monitor import report_words as say
from otel_guard.monitor.report_table import Part, columns

SHORT: Final = 6
SEVERAL: Final = 10
_TIMES: Final = (
    ("detect", "MTTD, until told"),
    ("ingest", "  until in Postgres"),
    ("evaluation", "  until judged"),
    ("delivery", "  until a channel took it"),
    ("acknowledge", "MTTA, until acknowledged"),
    ("resolve", "MTTR, until over"),
)
_SPREAD: Final = ("mean_s", "p50_s", "p90_s", "max_s")
_MAIN: Final = ("detect", "acknowledge", "resolve")


def incidents(found: Mapping[str, Any]) -> Part:
    """What fired."""
    if found["fired"] is None:
        return Part("Incidents", ("not available: it took too long to count.",))
    if not found["fired"]:
        return Part("Incidents", ("None. `otel-guard rules` shows when one would open.",))
    cells = [
        (
            row["id"][-SHORT:],
            row["severity"],
            row["rule"] or row["type"],
            row["service"] or "",
            say.when(row["fired_at"]),
            _lasted(row),
            " ".join(row["message"].split()),
            _acted(row),
        )
        for row in found["listed"]
    ]
    names = ("id", "severity", "rule", "service", "fired (UTC)", "lasted", "what", "done")
    tables = (
        columns(names, cells, right=(5,), wide=6, is_note_last=True),
        columns(
            ("", "of", "n", "mean", "p50", "p90", "max"),
            list(_means(found["times"])),
            right=(2, 3, 4, 5, 6),
            title="Times",
        ),
        columns(
            ("", "of", "n", "each"),
            list(_singles(found["times"])),
            right=(2,),
            wide=3,
            title=f"Times, each: under {SEVERAL} a mean says little",
        ),
    )
    more = found["fired"] - len(found["listed"])
    line = f"{say.counted(found['fired'], 'incident')} fired, {say.number(found['acted_on'])} acted on."
    return Part(
        "Incidents",
        (line + (f" {more} more than are shown." if more > 0 else ""),),
        tuple(table for table in tables if table),
        tuple(_noise(found["noisiest"])),
    )


def _lasted(row: Mapping[str, Any]) -> str:
    since, until = say.at(row["impact_started_at"] or row["fired_at"]), say.at(row["resolved_at"])
    if until is None or since is None:
        return str(row["state"])
    return say.lasting(max((until - since).total_seconds(), 0.0))


def _acted(row: Mapping[str, Any]) -> str:
    """Who had it, how it ended, and the note."""
    how = (row["resolution"] or "").replace("_", " ")
    by = row["acknowledged_by"] or ("somebody" if row["is_acted_on"] and not row["note"] else "")
    said = ", ".join(filter(None, (by, how)))
    return ": ".join(filter(None, (said, " ".join((row["note"] or "").split()))))


def _means(by_severity: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, severity, one in _times(by_severity):
        if one["n"] >= SEVERAL:
            yield name, severity, say.number(one["n"]), *(say.lasting(one[of]) for of in _SPREAD)


def _singles(by_severity: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The longest first: where there is little room the short ones are cut off."""
    for name, severity, one in _times(by_severity):
        if one["n"] < SEVERAL:
            yield name, severity, say.number(one["n"]), ", ".join(map(say.lasting, reversed(one["values"])))


def _times(by_severity: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for severity, means in by_severity.items():
        for key, name in _TIMES:
            if means[key] is not None and (severity == OVERALL or key in _MAIN):
                yield name, severity, means[key]


def _noise(noisiest: Mapping[str, Any] | None) -> Iterator[str]:
    if noisiest is None:
        return
    rule, proposal = noisiest["rule"], noisiest["proposal"]
    line = f"Noisiest rule: {rule}, {noisiest['acted_on']} of {noisiest['fired']} acted on"
    if proposal is None:
        yield f"{line}."
        return
    silenced = f"it would have kept {proposal['silenced']} of them quiet"
    yield f"{line}. Proposed for otel_guard.toml, {silenced}:"
    yield f"`[rule.{rule}]  {say.proposed(proposal['setting'], proposal['value'])}`"

"""The words and tables of docs/benchmarks.md."""

import statistics
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.harness import Column, Row, Target


class Verdict(NamedTuple):
    """One line of the last section."""

    title: str
    target: str
    found: str
    is_met: bool | None  # None: not measured


def table(row: Row) -> Iterator[str]:
    """Markdown lines of *row*."""
    first = row.variants[0][0]
    yield from (f"## {row.title}", "")
    if row.note:
        yield from (row.note, "")
    yield "| variant | caller's thread, µs | whole process, µs | caller's ratio (p10-p90) | process's ratio |"
    yield "|---|---:|---:|---:|---:|"
    for function, name in row.variants:
        if function in row.missing:
            yield f"| {name} | not installed | | | |"
            continue
        caller, process = (_column(row, function, column) for column in ("caller_us", "process_us"))
        ratios = _ratios(caller, _column(row, first, "caller_us"))
        whole = f"{statistics.median(_ratios(process, _column(row, first, 'process_us'))):.2f}"
        ratio = f"{statistics.median(ratios):.2f} ({_of(ratios, 0.1):.2f}-{_of(ratios, 0.9):.2f})"
        if not row.has_ratios:
            ratio = whole = "-"
        figures = f"{_short(statistics.median(caller))} | {_short(statistics.median(process))}"
        yield f"| {name} | {figures} | {ratio} | {whole} |"
    yield ""


def verdicts(row: Row) -> list[Verdict]:
    """Each target of *row*: the median of its rounds."""
    return [_verdict(row, target) for target in row.targets]


def judged(title: str, target: Target, found: float) -> Verdict:
    """Whether *found* meets *target*."""
    sign, is_met = ("≥", found >= target.limit) if target.at_least else ("≤", found <= target.limit)
    unit = "x" if target.unit == "x" else f" {target.unit}"
    return Verdict(title, f"{target.says} {sign} {target.limit:g}{unit}", f"{found:.2f}{unit}", is_met)


def targets(found: list[Verdict]) -> Iterator[str]:
    """The last section."""
    yield from ("## Targets", "")
    missed = sum(verdict.is_met is False for verdict in found)
    yield f"{len(found) - missed} of {len(found)} are met." if missed else "All are met."
    yield from ("", "| figure | target | found | |", "|---|---|---:|---|")
    for verdict in found:
        word = {True: "met", False: "**missed**", None: "not measured"}[verdict.is_met]
        yield f"| {verdict.title} | {verdict.target} | {verdict.found} | {word} |"


def _verdict(row: Row, target: Target) -> Verdict:
    count = max(map(len, row.figures.values()))
    rounds = [
        {function: found[number][target.column] for function, found in row.figures.items()} for number in range(count)
    ]
    try:
        return judged(row.title, target, statistics.median(map(target.measure, rounds)))
    except KeyError:
        return judged(row.title, target, 0)._replace(found="a package is not installed", is_met=None)


def _column(row: Row, function: str, column: Column) -> list[float]:
    return [one[column] for one in row.figures[function]]


def _ratios(found: list[float], base: list[float]) -> list[float]:
    return sorted(one / other for one, other in zip(found, base, strict=True))


def _of(ordered: list[float], share: float) -> float:
    """The value at *share* of the way through *ordered*."""
    return ordered[round(share * (len(ordered) - 1))]


def _short(microseconds: float) -> str:
    return f"{microseconds:.2f}" if microseconds < 10 else f"{microseconds:,.1f}"

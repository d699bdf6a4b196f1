"""The weekly report in a terminal, in Markdown and in Slack."""

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from otel_guard.alerts.channels import _slack_text as slack_text
from otel_guard.monitor.report_sheet import sheet
from otel_guard.monitor.report_table import Part, Table

NARROW: Final = 110
GAP: Final = 2
LEAST: Final = 32  # columns, under which a text is not worth reading
INDENT: Final = 8
# Slack: 50 blocks, 3000 characters a section, 150 a header, 10,000 in all.
HEADER: Final = 150
SECTION: Final = 1450
SLACK_ROWS: Final = 5
SLACK_LINE: Final = 220

Line = tuple[str, str]  # text, and "title", "dim" or ""


def terminal(report: Mapping[str, Any], width: int) -> list[Line]:
    """Lines of at most *width* columns."""
    made = sheet(report)
    lines: list[Line] = [(made.headline, "title"), (made.title, "dim")]
    for part in made.parts:
        lines += [("", ""), (part.title, "title")]
        lines += _sentences(part.lines, width)
        for number, table in enumerate(part.tables):
            lines += [("", "")] if number or part.lines else []
            lines += [(f"  {table.title}", "dim")] if table.title else []
            lines += [(f"  {text}", style) for text, style in _drawn(table, width - GAP)]
        lines += [("", "")] if part.ending and part.tables else []
        lines += _sentences(part.ending, width)
    return lines + ([("", ""), (made.note, "dim")] if made.note else [])


def markdown(report: Mapping[str, Any]) -> str:
    """For a wiki, a pull request, a mail."""
    made = sheet(report)
    lines = [f"# {made.headline}", "", made.title]
    for part in made.parts:
        lines += ["", f"## {part.title}"]
        for line in part.lines:
            lines += ["", line]
        for table in part.tables:
            lines += [""] + ([f"**{table.title}**", ""] if table.title else []) + list(_markdown(table))
        for line in part.ending:
            lines += ["", line]
    return "\n".join([*lines, *(["", made.note] if made.note else [])]) + "\n"


def slack(report: Mapping[str, Any]) -> dict[str, Any]:
    """A message for an incoming webhook, within its limits."""
    made = sheet(report)
    blocks: list[dict[str, Any]] = [_header(made.headline), _section(slack_text.cut(made.title, SECTION))]
    blocks += [_section(_slack_part(part)) for part in made.parts]
    if made.note:
        blocks.append(_section(slack_text.cut(made.note, SECTION)))
    return {"text": slack_text.cut(f"{made.headline}. {made.title}", SECTION), "blocks": blocks}


def _drawn(table: Table, width: int) -> Iterator[Line]:
    """A table in columns; where there is little room the wide one, or only what is behind it, goes below its row."""
    count = len(table.names)
    wide = count if table.wide is None else table.wide
    fixed = {number: _width(table, number) for number in range(count) if number < wide}
    room = width - sum(size + GAP for size in fixed.values())
    beside = width >= NARROW and not table.is_note_last
    shown = list(range(count if beside else min(wide + 1, count)))
    if wide < count and room < LEAST and wide > 0:
        shown = shown[:wide]
    widths = fixed | _shared(table, [number for number in shown if number >= wide], room)
    indent = INDENT if wide not in shown else sum(fixed[number] + GAP for number in fixed)
    if any(table.names):
        yield _row(table.names, widths, table), "dim"
    for row in table.rows:
        yield _row(row, widths, table), ""
        for number in range(len(shown), count):
            is_note = table.is_note_last and number == count - 1
            for text in textwrap.wrap(row[number], width - indent) if is_note else [row[number]] * bool(row[number]):
                yield " " * indent + _cut(text, width - indent), "dim"


def _shared(table: Table, numbers: Sequence[int], room: int) -> dict[int, int]:
    """The room of the wide column and those behind it: the last get what they need, at most a third each."""
    found: dict[int, int] = {}
    for number in reversed(numbers[1:]):
        found[number] = min(_width(table, number), room // 3)
        room -= found[number] + GAP
    return {number: min(_width(table, number), room) for number in numbers[:1]} | found


def _width(table: Table, number: int) -> int:
    return max(len(row[number]) for row in (table.names, *table.rows) if not _spills(row, number))


def _spills(row: Sequence[str], number: int) -> bool:
    """Whether the cell may run over the empty ones behind it."""
    return number < len(row) - 1 and not any(row[number + 1 :])


def _row(cells: Sequence[str], widths: Mapping[int, int], table: Table) -> str:
    text, numbers = "", sorted(widths)
    for number in numbers:
        cell, size = cells[number], widths[number]
        if len(cell) > size and _spills(cells, number):
            rest = sum(widths[other] + GAP for other in numbers if other > number)
            return text + _cut(cell, size + rest)
        fitting = _cut(cell, size)
        text += (fitting.rjust(size) if number in table.right else fitting.ljust(size)) + " " * GAP
    return text.rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _sentences(lines: Sequence[str], width: int) -> list[Line]:
    margin = " " * GAP
    bare = (line.replace("`", "") for line in lines)
    return [
        (text, "")
        for line in bare
        for text in textwrap.wrap(line, width, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
    ]


def _markdown(table: Table) -> Iterator[str]:
    yield "| " + " | ".join(name or " " for name in table.names) + " |"
    yield "|" + "|".join("--:" if number in table.right else "---" for number in range(len(table.names))) + "|"
    for row in table.rows:
        yield "| " + " | ".join(map(_cell, row)) + " |"


def _cell(text: str) -> str:
    """Neither a bar nor markup of an error's text counts."""
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("`", "\\`")
    return escaped.replace("<", "&lt;").replace("*", "\\*").replace("[", "\\[") or " "


def _slack_part(part: Part) -> str:
    lines = [f"*{slack_text.escape(part.title)}*"]
    lines += [slack_text.cut(line, SLACK_LINE) for line in part.lines]
    for table in part.tables:
        lines += [f"_{slack_text.cut(table.title, SLACK_LINE)}_"] if table.title else []
        lines += [slack_text.cut(line, SLACK_LINE) for line in map(_said(table), table.rows[:SLACK_ROWS])]
        lines += [f"and {len(table.rows) - SLACK_ROWS} more"] if len(table.rows) > SLACK_ROWS else []
    lines += [slack_text.cut(line, SLACK_LINE) for line in part.ending]
    return slack_text.joined(lines, SECTION)


def _said(table: Table) -> Callable[[Sequence[str]], str]:
    """A row as a line, with the names of its numbers: Slack has no tables."""

    def line(row: Sequence[str]) -> str:
        facts = [
            f"{table.names[number]} {cell}" if number in table.right else " ".join(cell.split())
            for number, cell in enumerate(row)
            if cell
        ]
        return f"• {' · '.join(facts)}"

    return line


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": slack_text.cut(text, HEADER)}}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}

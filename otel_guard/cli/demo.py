"""`otel-guard demo`: the main job with known faults, on this machine."""

import signal
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final, Self

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from otel_guard.cli._base import FAILED, console, plain, severity, table
from otel_guard.demo.events import Began, Event, Heard, Judged, Kept, Next, Note, Options, Progress, Ready, Shown
from otel_guard.demo.flow import run
from otel_guard.demo.judge import Row, Summary
from otel_guard.demo.watching import Watched

PART_WIDTH: Final = 11
BAR_WIDTH: Final = 30
INTERRUPTED: Final = 130
SHOWN_PROBLEMS: Final = 2
MESSAGES: Final = 8
WHAT: Final = 38


def command(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave all of it running until Ctrl-C.")] = False,
    seconds: Annotated[float, typer.Option(min=5.0, help="How long the traffic lasts.")] = 60.0,
    folder: Annotated[Path, typer.Option(help="Logs, journals and summary.json go here.")] = Path(".demo"),
    build: Annotated[bool, typer.Option("--build/--no-build", help="Build the Collector where there is none.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Only the summary, as one JSON object.")] = False,
) -> None:
    """A shop, known faults, and where each of them shows; exit code 1 if one is lost or doubled."""
    for number in (signal.SIGTERM, signal.SIGINT):  # the second is ignored in the background of a script
        signal.signal(number, signal.default_int_handler)
    out = console()
    options = Options(folder=folder, keep=keep, traffic_s=seconds, build_collector=build, width=out.width)
    shown = _Shown(Console(quiet=True) if json else out)
    try:
        with shown, closing(run(options)) as events:  # type: ignore[type-var] # a generator
            for event in events:
                shown.show(event)
    except KeyboardInterrupt:
        if shown.summary is None:
            raise SystemExit(INTERRUPTED) from None
    if json:
        typer.echo((folder / "summary.json").read_text(), nl=False)
    raise SystemExit(0 if shown.summary is not None and shown.summary.is_good else FAILED)


class _Shown:
    """Draws events: lines that stay, and one line that moves where the output is a terminal."""

    def __init__(self, out: Console) -> None:
        self.summary: Summary | None = None
        self._out = out
        self._live = Live(console=out, transient=True, refresh_per_second=8)
        self._last = ""

    def __enter__(self) -> Self:
        if self._out.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, event: Event) -> None:
        """Draw one event."""
        match event:
            case Began(part):
                self._live.update(Spinner("dots", _line(part, plain("starting …", "dim"))))
            case Ready(part, detail, seconds):
                self._stay(_line(part, plain(detail), plain(f" {seconds:.1f} s", "dim")))
            case Note(text):
                self._stay(_line("", plain(text, "dim")))
            case Progress(part, share, detail):
                self._progress(part, share, detail)
            case Judged(summary):
                self.summary = summary  # the exit code
                self._stay(verdict(summary))
            case Heard(watched, messages):
                self._stay(heard(watched, messages))
            case Shown(name, text):
                self._stay(Group("", Rule(plain(f"$ {name}", "bold"), align="left", style="dim"), Text.from_ansi(text)))
            case Next(commands):
                self._stay(Group("", plain("What to try next", "bold"), *_commands(commands)))
            case Kept(addresses):
                self._stay(Group("", plain("Left running, Ctrl-C ends it", "bold"), _pairs(addresses)))

    def _progress(self, part: str, share: float, detail: str) -> None:
        if self._out.is_terminal:
            bar = ProgressBar(total=1.0, completed=share, width=BAR_WIDTH)
            grid = Table.grid(padding=(0, 1))
            grid.add_row(Text(f"  {part:<{PART_WIDTH}}"), bar, plain(detail, "dim"))
            self._live.update(grid)
        elif (line := f"{part} {int(share * 10) * 10} %") != self._last:
            self._last = line
            self._out.print(_line(part, plain(f"{share:.0%}, {detail}", "dim")))

    def _stay(self, drawn: object) -> None:
        self._live.update("")
        self._out.print(drawn)


def verdict(summary: Summary) -> Group:
    """The table of faults, and one sentence on it."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    shown.add_column("fault", no_wrap=True)
    for name in ("injected", "rows", "traces", "Sentry", "lost", "doubled"):
        shown.add_column(name, justify="right", no_wrap=True)
    for row in summary.faults:
        shown.add_row(plain(row.fault), *_numbers(row))
    lines = [plain(f"  {line}", "red") for row in summary.faults for line in _problems(row)]
    return Group("", Padding(shown, (0, 0, 0, 2)), "", *lines, *([""] if lines else []), _sentence(summary))


def heard(watched: Watched, messages: Sequence[str]) -> Group:
    """Health before, during and after; the incidents; what Slack received; how long it took."""
    shown = table("incident", "severity", "heard after", "what")
    for incident in watched.incidents:
        if incident.after_s is not None:
            what = incident.message if len(incident.message) <= WHAT else f"{incident.message[: WHAT - 1]}…"
            shown.add_row(plain(incident.rule), severity(incident.severity), f"{incident.after_s:.1f} s", plain(what))
    quiet = sum(incident.after_s is None for incident in watched.incidents)
    lines = [Text.assemble(("  ", ""), (f"{moment:<8}", "dim"), plain(line)) for moment, line in watched.health.items()]
    said = [plain(f"  {message}") for message in messages[:MESSAGES]]
    more = len(messages) - MESSAGES
    said += [plain(f"  and {more} more", "dim")] if more > 0 else []
    return Group(
        "",
        plain("What `otel-guard health` said", "bold"),
        *lines,
        "",
        plain("What the rules found, and when people heard", "bold"),
        Padding(shown, (0, 0, 0, 2)),
        plain(f"  {quiet} more stay quiet: of the same failures somebody was told already", "dim"),
        "",
        plain(f"What Slack received: {len(messages)} messages, {watched.refused} refused", "bold"),
        *said,
        "",
        _heard_in_time(watched),
    )


def _heard_in_time(watched: Watched) -> Text:
    times = watched.at_once_s
    if not watched.is_good:
        return Text("Nobody was told in time of all that happened; see the monitor's log.", style="bold red")
    text = f"From a critical failure to Slack: {times[0]:.1f} to {times[-1]:.1f} s. "
    return Text.assemble((text, "bold green"), (f"The silence was found: {watched.silence}.", "dim"))


def _problems(row: Row) -> list[str]:
    """The first of them; `summary.json` has all."""
    more = len(row.problems) - SHOWN_PROBLEMS
    lines = [f"{row.fault}: {problem}" for problem in row.problems[:SHOWN_PROBLEMS]]
    return [*lines, f"{row.fault}: and {more} more, see summary.json"] if more > 0 else lines


def _numbers(row: Row) -> tuple[Text, ...]:
    injected = f"{row.injected}" + (f" +{row.cut} cut" if row.cut else "")
    traces = f"{row.traces}" if row.is_traced else f"({row.traces})"
    bad = (plain(n, "bold red" if n else "green") for n in (row.lost, row.doubled))
    return (plain(injected), plain(row.rows), plain(traces), plain(row.sentry_events), *bad)


def _sentence(summary: Summary) -> Text:
    where = f"Traces: {summary.traces_from}. {summary.seconds:.0f} s in all."
    if summary.is_good:
        return Text.assemble(("Nothing lost, nothing doubled. ", "bold green"), (where, "dim"))
    left = f", {summary.left_in_journal} left in the journal" if summary.left_in_journal else ""
    misfired = f", {summary.misfired} faults that did not fire" if summary.misfired else ""
    text = f"{summary.lost} lost, {summary.doubled} doubled{left}{misfired}. "
    return Text.assemble((text, "bold red"), (where, "dim"))


def _line(part: str, *texts: Text) -> Text:
    return Text.assemble("  ", (f"{part:<{PART_WIDTH}} ", "bold"), *texts)


def _commands(commands: Mapping[str, str]) -> list[Text]:
    return [Text.assemble("  ", (name, "cyan"), "\n      ", (does, "dim")) for name, does in commands.items()]


def _pairs(pairs: Mapping[str, str]) -> Table:
    grid = Table.grid(padding=(0, 3, 0, 2))
    for name, value in pairs.items():
        grid.add_row(plain(name, "cyan"), plain(value))
    return grid

"""What the commands share: settings, output, problems, and how times and ids are shown."""

import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from otel_guard.core.exceptions import OtelGuardError, StoreUnavailableError
from otel_guard.runtime.clock import SYSTEM
from otel_guard.settings import Settings, load

FAILED: Final = 1
USAGE: Final = 2
UNAVAILABLE: Final = 69

SHOWN: Final = 6  # characters of an id or a fingerprint
SEVERITY_STYLES: Final = {"low": "dim", "medium": "yellow", "high": "red", "critical": "bold red"}
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_MINUTE: Final = 60
_STEPS: Final = ((172800, 86400, "d"), (7200, 3600, "h"), (120, 60, "min"))


class Problem(Exception):
    """What happened, what to do about it, and the exit code."""

    def __init__(self, problem: str, do: str, code: int) -> None:
        super().__init__(f"{problem}: {do}" if do else problem)
        self.problem = problem
        self.do = do
        self.code = code


def problem_of(error: Exception) -> Problem:
    """Turn *error* into a problem; ours carry the cure behind their last colon."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, StoreUnavailableError):
        return Problem(str(error), "start Postgres, or correct OTEL_GUARD_DSN", UNAVAILABLE)
    if isinstance(error, OtelGuardError):
        problem, _, do = str(error).rpartition(": ")
        return Problem(problem or do, do if problem else "", USAGE)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Problem(f"otel-guard failed: {what}", "set OTEL_GUARD_STRICT=1 to see where", FAILED)


def show_problem(problem: Problem, *, as_json: bool) -> int:
    """Print *problem*: one line on stderr, or an object on stdout; returns its exit code."""
    if as_json:
        emit("problem", {"problem": problem.problem, "do": problem.do})
    else:
        sys.stderr.write(f"otel-guard: {problem}\n")
    return problem.code


def settings() -> Settings:
    """Load the settings; what is wrong with them is a line each on stderr."""
    loaded = load()
    for line in loaded.problems:
        sys.stderr.write(f"otel-guard: {line}\n")
    return loaded.settings


def needed_dsn(given: Settings | None = None) -> str:
    """The address of Postgres, or the problem that there is none."""
    dsn = (given or settings()).dsn
    if dsn is None:
        raise Problem("OTEL_GUARD_DSN is not set", "write postgresql://user@host:5432/database into it", USAGE)
    return dsn


def emit(name: str, body: dict[str, object]) -> None:
    """Write one JSON object on stdout."""
    text = msgspec.json.encode({"schema": f"otel_guard.{name}.v1", **body}).decode()
    sys.stdout.write(f"{text}\n")


def console() -> Console:
    """Stdout: colour and width of the terminal, 80 columns and none elsewhere (COLUMNS says else)."""
    return Console(highlight=False, soft_wrap=False)


def table(*columns: str) -> Table:
    """A table without lines."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        made.add_column(column)
    return made


def plain(value: object, style: str = "") -> Text:
    """*value* as it is: no markup, control characters visible."""
    text = "" if value is None else str(value)
    return Text("".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text), style=style)


def severity(value: str | None) -> Text:
    """A severity in its colour."""
    return plain(value, SEVERITY_STYLES.get(value or "", ""))


def ago(at: datetime | None) -> str:
    """How long *at* is ago: 4 s, 12 min, 3 h, 5 d."""
    if at is None:
        return "never"
    seconds = max(0, int((now() - at).total_seconds()))
    return (
        next((f"{seconds // unit} {name}" for least, unit, name in _STEPS if seconds >= least), f"{seconds} s") + " ago"
    )


def times(n: int) -> str:
    """*n* as people say it."""
    return "once" if n == 1 else f"{n} times"


def moment(at: datetime | None) -> str:
    """*at* in full, UTC."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def now() -> datetime:
    """This moment, UTC."""
    return datetime.fromtimestamp(SYSTEM.now_ms() / 1000, UTC)


def seconds_of(span: str) -> float:
    """Seconds of a span such as 90s, 30m, 24h, 7d, 2w."""
    found = re.fullmatch(r"(\d{1,6})\s*([smhdw])", span.strip().lower())
    if found is None:
        raise Problem(f"{span!r} is no span of time", "write 30m, 24h or 7d", USAGE)
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]]).total_seconds()


def place(value: object) -> str:
    """`metadata.place` as file:line in function."""
    if not isinstance(value, dict):
        return str(value) if value else ""
    parts = {str(key).rpartition("code.")[2]: part for key, part in value.items()}
    file, line, function = (parts.get(key) for key in ("file.path", "line.number", "function.name"))
    if file is None:
        return ":".join(str(part) for part in value.values())
    return f"{file}:{line}" + (f" in {function}" if function else "")

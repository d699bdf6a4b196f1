"""What the demo tells while it runs, and what it is told: whoever shows it decides how."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from otel_guard.demo.judge import Summary
from otel_guard.demo.watching import Watched


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """*folder* takes logs, journals and the summary; *keep* leaves all running until the generator is closed."""

    folder: Path = Path(".demo")
    keep: bool = False
    traffic_s: float = 60.0
    build_collector: bool = True
    width: int = 100


class Began(msgspec.Struct, frozen=True):
    """A part is being started."""

    part: str


class Ready(msgspec.Struct, frozen=True):
    """The part that began last stands; *detail* says where or what."""

    part: str
    detail: str
    seconds: float


class Note(msgspec.Struct, frozen=True):
    """One line worth reading."""

    text: str


class Progress(msgspec.Struct, frozen=True):
    """How far a long part is, 0 to 1."""

    part: str
    share: float
    detail: str


class Judged(msgspec.Struct, frozen=True):
    """The result."""

    summary: Summary


class Heard(msgspec.Struct, frozen=True):
    """What the watch made of it, and the messages as Slack shows them in a notification."""

    watched: Watched
    messages: tuple[str, ...]


class Shown(msgspec.Struct, frozen=True):
    """What a command printed, with its colours."""

    command: str
    text: str


class Next(msgspec.Struct, frozen=True):
    """What to try now: commands and what each shows."""

    commands: Mapping[str, str]


class Kept(msgspec.Struct, frozen=True):
    """All parts are left running: their addresses."""

    addresses: Mapping[str, str]


Event = Began | Ready | Note | Progress | Judged | Heard | Shown | Next | Kept

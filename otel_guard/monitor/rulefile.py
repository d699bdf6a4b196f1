"""`otel_guard.toml` as the monitor follows it: read again when it changes, the last good one held when it breaks."""

import os
import tomllib
from pathlib import Path

from msgspec import Struct

from otel_guard.core.exceptions import SettingsError
from otel_guard.settings import Settings, load
from otel_guard.settings.loading import FILE_NAME


class Read(Struct, frozen=True):
    """The settings that hold, and a line for all that is wrong in the file."""

    settings: Settings
    problems: tuple[str, ...]


class RuleFile:
    """Where the file is, and as what it was read last."""

    def __init__(self, settings: Settings) -> None:
        """*settings* hold until the first reading."""
        self._path = Path(os.environ.get("OTEL_GUARD_CONFIG") or FILE_NAME)
        self._settings = settings
        self._was_there = False
        self._stamp: object = self  # none is equal to it

    def read(self) -> Read | None:
        """What the file says; None: as the last time."""
        stamp = self._stamped()
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        problem = self._problem()
        if problem is not None:
            return Read(self._settings, (problem,))
        self._was_there = stamp is not None
        try:
            # Strict is for start-up: the monitor runs on with what is good.
            loaded = load({"strict": False})
        except SettingsError as error:
            return Read(self._settings, (str(error),))
        self._settings = loaded.settings
        return Read(loaded.settings, tuple(line for line in loaded.problems if line.startswith(str(self._path))))

    def _stamped(self) -> object:
        """What changes when the file does."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _problem(self) -> str | None:
        """Why the file as a whole cannot be used; none at all is no problem, unless there was one."""
        try:
            tomllib.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return (
                f"{self._path} is gone: what it said last holds on, until the monitor starts again"
                if self._was_there
                else None
            )
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            held = "what it said last holds on" if self._was_there else "the defaults hold"
            return f"{self._path} cannot be read ({error}): {held}"
        return None

"""The text of a traceback from cached, already redacted frames: source lines do not change while a process runs."""

import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Final

from msgspec import Struct

MAX_FRAMES: Final = 100  # of each end
MAX_CACHED: Final = 20_000
MAX_STACKS: Final = 2_000
MAX_KEY: Final = 400  # a deeper stack is recursion, of another depth each time
_OWN: Final = ("otel_guard.", "opentelemetry.", "wrapt.")
_LIBRARIES: Final = tuple(
    {
        os.path.realpath(path) + os.sep
        for path in (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), sys.base_prefix + "/lib")
    }
)


class Frame(Struct, frozen=True):
    """One frame's text and what the fingerprint and the place need of it."""

    text: str
    module: str
    function: str
    path: str  # relative to the working folder where it is below it
    line: int
    is_application: bool
    is_ours: bool


class Stack(Struct, frozen=True):
    """The frames of one failure, ours left out; outermost first."""

    frames: tuple[Frame, ...]
    application: tuple[str, ...]  # `module:function`, innermost first; of none: of the innermost of all
    place: Frame | None  # the innermost of the application
    text: str


class Frames:
    """A cache of frames, and of whole stacks, by code object and instruction; *redact* is applied once a frame.

    Keys hold the `id()` of a code object, whose hash would read all of its bytecode; the value keeps it alive.
    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._cache: dict[tuple[int, int, bool], tuple[Frame, CodeType]] = {}
        self._stacks: dict[tuple[int, ...], Stack] = {}

    def stack(self, tb: TracebackType | None, *, with_callers: bool = False) -> Stack:
        """The frames of *tb*; *with_callers*: below the live ones that called it."""
        caller = tb.tb_frame.f_back if with_callers and tb is not None else None
        key = _key(caller, tb)
        known = self._stacks.get(key)
        if known is None:
            frames = tuple(frame for frame in self.of_traceback(tb) if not frame.is_ours)
            known = _stack((*self.above(caller), *frames))
            if len(key) <= MAX_KEY:
                self._keep_stack(key, known)
        return known

    def of_traceback(self, tb: TracebackType | None) -> list[Frame]:
        """Frames of *tb*, outermost first; the middle of very long ones is left out."""
        found: list[Frame] = []
        while tb is not None:
            found.append(self._at(tb))
            if len(found) > 4 * MAX_FRAMES:
                del found[MAX_FRAMES : 2 * MAX_FRAMES]
            tb = tb.tb_next
        return found

    def above(self, frame: FrameType | None, limit: int = MAX_FRAMES) -> list[Frame]:
        """Live frames from *frame* outwards, outermost first; ours and OTel's are left out."""
        found: list[Frame] = []
        while frame is not None and len(found) < limit:
            live = self._live(frame)
            if not live.is_ours:
                found.append(live)
            frame = frame.f_back
        found.reverse()
        return found

    def place_above(self, frame: FrameType | None) -> Frame | None:
        """The innermost live frame of the application, for calls without a traceback."""
        steps = 0
        while frame is not None and steps < MAX_FRAMES:
            live = self._live(frame)
            if live.is_application:
                return live
            frame = frame.f_back
            steps += 1
        return None

    def _at(self, tb: TracebackType) -> Frame:
        code = tb.tb_frame.f_code
        key = (id(code), tb.tb_lasti, True)
        known = self._cache.get(key)
        if known is None:
            summary = traceback.extract_tb(tb, limit=1)
            known = self._keep(key, "".join(summary.format()), tb.tb_frame, tb.tb_lineno)
        return known[0]

    def _live(self, frame: FrameType) -> Frame:
        key = (id(frame.f_code), frame.f_lasti, False)
        known = self._cache.get(key)
        if known is None:
            summary = traceback.StackSummary.extract(iter([(frame, frame.f_lineno)]), lookup_lines=True)
            known = self._keep(key, "".join(summary.format()), frame, frame.f_lineno)
        return known[0]

    def _keep_stack(self, key: tuple[int, ...], stack: Stack) -> None:
        if len(self._stacks) >= MAX_STACKS:
            self._stacks.clear()
        self._stacks[key] = stack

    def _keep(
        self, key: tuple[int, int, bool], text: str, frame: FrameType, line: int | None
    ) -> tuple[Frame, CodeType]:
        if len(self._cache) >= MAX_CACHED:
            self._cache.clear()
            self._stacks.clear()  # their keys hold ids of code that only this cache keeps alive
        code = frame.f_code
        module = str(frame.f_globals.get("__name__", ""))
        is_ours = module.startswith(_OWN)
        made = Frame(
            self._redact(text),
            module,
            getattr(code, "co_qualname", code.co_name).rpartition("<locals>.")[2],
            _shown(code.co_filename),
            line or 0,
            not is_ours and is_application(code.co_filename),
            is_ours,
        )
        kept = self._cache[key] = (made, code)
        return kept


def _key(caller: FrameType | None, tb: TracebackType | None) -> tuple[int, ...]:
    """What one stack is known by: its live callers, a zero, its traceback."""
    key: list[int] = []
    while caller is not None and len(key) < 2 * MAX_FRAMES:
        key += (id(caller.f_code), caller.f_lasti)
        caller = caller.f_back
    key.append(0)
    while tb is not None:
        key += (id(tb.tb_frame.f_code), tb.tb_lasti)
        tb = tb.tb_next
    return tuple(key)


def _stack(frames: tuple[Frame, ...]) -> Stack:
    named = tuple(f"{frame.module}:{frame.function}" for frame in reversed(frames) if frame.is_application)
    if not named and frames:
        named = (f"{frames[-1].module}:{frames[-1].function}",)
    place = next((frame for frame in reversed(frames) if frame.is_application), None)
    return Stack(frames, named, place, join(frames))


def is_application(path: str) -> bool:
    """Whether a source file is neither the standard library's nor an installed package's."""
    if path.startswith("<") or "site-packages" in path or "dist-packages" in path:
        return False
    return not os.path.realpath(path).startswith(_LIBRARIES)


def _shown(path: str) -> str:
    here = f"{Path.cwd()}{os.sep}"
    return path.removeprefix(here)


def place_of(frame: Frame) -> tuple[str, int, str]:
    """File (relative to the working folder), line and function of *frame*."""
    return frame.path, frame.line, frame.function


def join(frames: Iterable[Frame]) -> str:
    """The frames' text as the interpreter prints it: runs of one frame are shown three times, then counted."""
    lines: list[str] = []
    last, count = None, 0
    for frame in frames:
        if frame is last:
            count += 1
        else:
            lines += _more(count)
            last, count = frame, 1
        if count <= 3:  # noqa: PLR2004 - the interpreter's own limit
            lines.append(frame.text)
    lines += _more(count)
    return "".join(lines)


def _more(count: int) -> list[str]:
    rest = count - 3
    return [f"  [Previous line repeated {rest} more time{'s' if rest > 1 else ''}]\n"] if rest > 0 else []

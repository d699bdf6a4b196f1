"""Exceptions and frames out of the text of a traceback, chained ones and groups too."""

import re
from typing import Final, Literal

from msgspec import Struct

Link = Literal["__cause__", "__context__", "exceptions"]

CAUSE: Final = "The above exception was the direct cause of the following exception:"
CONTEXT: Final = "During handling of the above exception, another exception occurred:"
_HEADER: Final = "Traceback (most recent call last):"
_FRAME: Final = re.compile(r'  File "([^"\n]{1,1000})", line (\d{1,9})(?:, in (.{1,500}))?$')
_TYPE: Final = re.compile(r"([^\W\d][\w.<>]{0,300})(?:: ?(.*))?$")
_MARGIN: Final = re.compile(r"^ *(?:\+ (?=Exception Group)|\| ?)")
_MEMBER: Final = re.compile(r" *\+[-+]*-{8,}(?: .{1,12} -{8,})?$")
_OURS_NOT: Final = re.compile(r"[/\\](?:site|dist)-packages[/\\]|[/\\]lib(?:64)?[/\\]python3\.\d+[/\\]|^<")
_TAIL: Final = re.compile(r".*[/\\](?:(?:site|dist)-packages|python3\.\d+)[/\\](.+)$")


class Frame(Struct, frozen=True):
    """One line of the stack, as Sentry names it."""

    path: str
    line: int
    function: str
    source: str | None = None

    @property
    def in_app(self) -> bool:
        """Whether it is the application's: neither installed nor of the standard library."""
        return not _OURS_NOT.search(self.path)

    def relative(self, root: str) -> str:
        """The path below the installed packages, the standard library or *root*; else as it is."""
        if tail := _TAIL.match(self.path):
            return tail[1]
        return self.path.removeprefix(root.rstrip("/") + "/")


class Raised(Struct, frozen=True):
    """One exception of the text; *link* says how the one before it belongs to it."""

    type: str
    value: str
    frames: tuple[Frame, ...] = ()
    link: Link | None = None


class _Block:
    """What is read of one exception so far."""

    def __init__(self, link: Link | None) -> None:
        self.link = link
        self.frames: list[Frame] = []
        self.words: list[str] | None = None  # the exception's own lines, after the frames

    def take(self, line: str) -> None:
        if self.words is not None:
            self.words.append(line)
        elif found := _FRAME.match(line):
            self.frames.append(Frame(found[1], int(found[2]), found[3] or "<module>"))
        elif line.startswith("    ") and self.frames and self.frames[-1].source is None:
            last = self.frames[-1]
            self.frames[-1] = Frame(last.path, last.line, last.function, line.strip())
        elif line.strip() and not line.startswith(" "):
            self.words = [line]

    def raised(self) -> Raised | None:
        if not self.frames and not self.words:
            return None
        lines = self.words or [""]
        named = _TYPE.match(lines[0])
        name, first = (named[1], named[2] or "") if named else ("Error", lines[0])
        return Raised(name, "\n".join([first, *lines[1:]]).strip(), tuple(self.frames), self.link)


def parse(text: str) -> tuple[Raised, ...]:
    """Read the exceptions in the order of *text*: causes first, the raised one, then members of a group."""
    blocks = [_Block(None)]
    is_group = "Exception Group Traceback" in text
    for raw in text.splitlines():
        if is_group and _MEMBER.match(raw):
            blocks.append(_Block("exceptions"))
            continue
        line = _MARGIN.sub("", raw, count=1) if is_group else raw
        if line in (CAUSE, CONTEXT):
            blocks.append(_Block("__cause__" if line == CAUSE else "__context__"))
        elif line.endswith(_HEADER) and not line.startswith(" "):
            _start(blocks)
        else:
            blocks[-1].take(line)
    return tuple(raised for block in blocks if (raised := block.raised()))


def _start(blocks: list[_Block]) -> None:
    """A header within an exception's own lines belongs to its message (a remote traceback)."""
    last = blocks[-1]
    if last.words is not None:
        last.words.append(_HEADER)

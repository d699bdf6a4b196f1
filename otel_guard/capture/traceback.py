"""Type, message, frames and text of an exception, redacted and never raising."""

import traceback
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from otel_guard.capture.frames import Frames, Stack
from otel_guard.core import database_errors, redaction
from otel_guard.core.database_errors import DatabaseFacts
from otel_guard.runtime.text import safe_text

MESSAGE_LIMIT: Final = 8 * 1024
STACK_LIMIT: Final = 64 * 1024
MAX_CHAIN: Final = 20
_CAUSE: Final = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT: Final = "\nDuring handling of the above exception, another exception occurred:\n\n"
# Their last line holds more than type and message: the standard formatter writes it.
_STANDARD: Final = (SyntaxError, ImportError, NameError, AttributeError)


class Raised(Struct, kw_only=True):
    """What is kept of an exception; no object of it is."""

    error_type: str
    message: str = ""  # filled in by `read`: its redaction costs more than all the rest
    stack: Stack
    database: DatabaseFacts | None


class Tracebacks:
    """Reads exceptions; *redact* is applied to every text."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self.frames = Frames(redact)

    def read(self, exc: BaseException, *, with_callers: bool) -> Raised:
        """Read all of *exc*; *with_callers*: add the live frames above those of its traceback."""
        raised = self.glance(exc, with_callers=with_callers)
        raised.message = self.message(exc)
        return raised

    def glance(self, exc: BaseException, *, with_callers: bool) -> Raised:
        """Read type and frames of *exc*, not its message: enough to know it again."""
        return Raised(
            error_type=type_name(exc),
            stack=self.frames.stack(exc.__traceback__, with_callers=with_callers),
            database=database_errors.facts_of(exc),
        )

    def message(self, exc: BaseException, said: str | None = None) -> str:
        """The exception's text; of a database's error rebuilt from its parts, so that no value is in it.

        *said* replaces it where an instrumentation knows that it holds customer data.
        """
        return redaction.cut(self._message(exc) if said is None else self._redact(said), MESSAGE_LIMIT)

    def stack(self, exc: BaseException, raised: Raised) -> str:
        """The whole traceback with causes, contexts and notes, as the interpreter prints it."""
        links = _links(exc)
        blocks = []
        for node, link in reversed(links):
            frames = (raised.stack if node is exc else self.frames.stack(node.__traceback__)).text
            head = "Traceback (most recent call last):\n" if frames else ""
            blocks.append(head + frames + self._last(node, raised.message if node is exc else None) + link)
        return redaction.cut("".join(blocks), STACK_LIMIT)

    def _message(self, exc: BaseException) -> str:
        facts = database_errors.facts_of(exc)
        if facts is not None:
            return self._redact(redaction.database_text(*_arguments(facts)))
        original = getattr(exc, "orig", None)
        facts = database_errors.facts_of(original) if isinstance(original, BaseException) else None
        if facts is not None and isinstance(original, BaseException):  # SQLAlchemy: its text holds the parameters
            return self._redact(f"({type_name(original)}) {redaction.database_text(*_arguments(facts))}")
        return self._redact(safe_text(exc))

    def _last(self, exc: BaseException, known: str | None = None) -> str:
        if isinstance(exc, _STANDARD):
            only = traceback.TracebackException(type(exc), exc, exc.__traceback__, lookup_lines=False)
            return self._redact("".join(only.format_exception_only()))
        name, text = type_name(exc), self._message(exc) if known is None else known
        lines = f"{name}: {text}\n" if text else f"{name}\n"
        if isinstance(exc, BaseExceptionGroup):
            lines += "".join(f"  - {type_name(one)}: {self._message(one)}\n" for one in exc.exceptions[:MAX_CHAIN])
        notes = getattr(exc, "__notes__", None)
        if isinstance(notes, list | tuple):
            lines += "".join(f"{self._redact(safe_text(note))}\n" for note in notes[:MAX_CHAIN])
        return lines


def type_name(exc: BaseException) -> str:
    """OTel's `exception.type`: module and qualified name, without `builtins`."""
    kind = type(exc)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _arguments(facts: DatabaseFacts) -> tuple[str | None, str, str | None, str | None, str | None]:
    return facts.sqlstate, facts.primary, facts.table, facts.column, facts.constraint


def _links(exc: BaseException) -> list[tuple[BaseException, str]]:
    """The exception and what led to it, each with the sentence that stands after its block."""
    found, seen = [(exc, "")], {id(exc)}
    node = exc
    while len(found) < MAX_CHAIN:
        if node.__cause__ is not None:
            below, sentence = node.__cause__, _CAUSE
        elif node.__context__ is not None and not node.__suppress_context__:
            below, sentence = node.__context__, _CONTEXT
        else:
            break
        if id(below) in seen:
            break
        seen.add(id(below))
        found.append((below, sentence))
        node = below
    return found

"""Never our own echo: what the guard itself sends is watched by nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from opentelemetry import context

# Some instrumentations read one, some another, some none: hence our own variable too.
KEYS: Final = ("suppress_instrumentation", "suppress_http_instrumentation")
_sending: Final[ContextVar[bool]] = ContextVar("otel_guard_sending", default=False)


@contextmanager
def sending() -> Iterator[None]:
    """Mark everything inside as the guard's own traffic."""
    ours = _sending.set(True)
    value = context.get_current()
    for key in KEYS:
        value = context.set_value(key, True, value)
    theirs = context.attach(value)
    try:
        yield
    finally:
        context.detach(theirs)
        _sending.reset(ours)


def is_sending() -> bool:
    """Whether the guard itself is at work in this context."""
    return _sending.get()

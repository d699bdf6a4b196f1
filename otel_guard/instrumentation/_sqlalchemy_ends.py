"""How drivers are kept silent below SQLAlchemy, and whose engine it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Token
from typing import Any, Final

from opentelemetry import context
from opentelemetry.context import Context

from otel_guard.runtime.suppression import KEYS

_THEIRS: Final = "opentelemetry.instrumentation.sqlalchemy"


def is_theirs(conn: Any) -> bool:
    """Whether the application instrumented this engine itself."""
    for one in conn.dispatch.before_cursor_execute:
        if type(getattr(one, "__self__", None)).__module__.startswith(_THEIRS):
            return True
    return False


def hide_driver(current: Context) -> Token[Context]:
    """Keep the driver's own instrumentation silent until the token is detached."""
    return context.attach(context.set_value(KEYS[0], True, current))


@contextmanager
def hidden_driver() -> Iterator[None]:
    """Keep it silent inside."""
    token = hide_driver(context.get_current())
    try:
        yield
    finally:
        context.detach(token)

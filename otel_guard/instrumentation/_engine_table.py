"""What an instrumentation file is made of: a table of targets and pure functions."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, Literal

from msgspec import Struct
from opentelemetry.trace import SpanKind

from otel_guard.core.outcome import Facts, Outcome
from otel_guard.core.record import Context
from otel_guard.instrumentation._engine_services import Services


class Kind(Enum):
    """How a target is called."""

    SYNC = "sync"
    ASYNC = "async"
    STREAM = "stream"
    ASTREAM = "astream"
    ON_ERROR = "on_error"  # a span only of a failure, made afterwards


SYNC: Final = Kind.SYNC
ASYNC: Final = Kind.ASYNC
STREAM: Final = Kind.STREAM
ASTREAM: Final = Kind.ASTREAM
ON_ERROR: Final = Kind.ON_ERROR


class Call:
    """One call of a target: its object and arguments; *notes* is what counts added while it ran."""

    __slots__ = ("_names", "args", "instance", "kwargs", "notes")

    def __init__(self, instance: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], names: tuple[str, ...]) -> None:
        """*names* are those of the positional parameters, without `self`."""
        self.instance = instance
        self.args = args
        self.kwargs = kwargs
        self.notes: dict[str, Any] = {}
        self._names = names

    def argument(self, name: str, default: Any = None) -> Any:
        """An argument by its parameter's name, however it was given."""
        if name in self.kwargs:
            return self.kwargs[name]
        position = self._names.index(name) if name in self._names else len(self.args)
        return self.args[position] if position < len(self.args) else default


def accepted(_call: Call, _facts: Facts, _value: Any) -> Outcome:
    """The outcome of a call that returned, where the value tells nothing."""
    return Outcome("ok")


def raised(_call: Call, _facts: Facts, exc: BaseException) -> Outcome:
    """The outcome of a call that raised, where the exception tells no more than its type."""
    return Outcome("failed", error_type=type(exc).__name__)


class Target(Struct, frozen=True, kw_only=True):
    """A function that becomes one span a call."""

    module: str  # that holds it
    name: str  # dotted, within the module
    kind: Kind
    describe: Callable[[Call], Facts | None]  # None: not ours
    on_result: Callable[[Call, Facts, Any], Outcome] = accepted
    on_error: Callable[[Call, Facts, BaseException], Outcome] = raised
    parameters: tuple[str, ...] = ()  # it must have
    optional: bool = False


class Count(Struct, frozen=True, kw_only=True):
    """A function inside a target: *add* notes what it returned to the running call."""

    module: str
    name: str
    add: Callable[[Call, Any], None]  # (running call, value)
    optional: bool = True


class Adopt(Struct, frozen=True, kw_only=True):
    """What somebody else's instrumentor does; *adopt* starts it when *module* is loaded and gives its undoing."""

    module: str
    adopt: Callable[[Services], Callable[[], None] | None]  # None: the application started it already
    needs: tuple[tuple[str, str], ...] = ()  # (module, name) that must exist
    optional: bool = False


class Tally(Struct, frozen=True, kw_only=True):
    """A counter beside the duration."""

    name: str
    unit: str
    amount: Callable[[Facts, Outcome], int]


class Instrumentation(Struct, frozen=True, kw_only=True):
    """One watched library."""

    name: str
    requires: str  # a requirement, for doctor; a version alone never refuses
    context: Context
    system: str | None = None
    targets: tuple[Target | Count | Adopt, ...] = ()
    tallies: tuple[Tally, ...] = ()
    span_kind: SpanKind = SpanKind.CLIENT
    duration: str | None = None  # name of its histogram of seconds
    hides_http: bool = False  # no HTTP spans below its own
    may_nest: bool = False  # a call inside a call is one of its own
    record_only: frozenset[str] = frozenset()  # attributes for the record, not the span
    opt_in: frozenset[str] = frozenset()  # attributes kept only if `capture.opt_in` names them


Status = Literal["watched", "waiting", "partial", "unsupported", "off", "absent", "failed", "unknown"]


class LibraryStatus(Struct, frozen=True):
    """How a library is watched, for doctor: *detail* says what is missing."""

    name: str
    status: Status
    detail: str = ""

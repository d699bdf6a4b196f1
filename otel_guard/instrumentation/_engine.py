"""The one engine of all instrumentations: it loads tables lazily, wraps their targets and puts them back."""

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

import wrapt
from opentelemetry.metrics import Meter, MeterProvider
from opentelemetry.trace import Tracer, TracerProvider

from otel_guard.instrumentation._engine_block import Block
from otel_guard.instrumentation._engine_kinds import wrapper
from otel_guard.instrumentation._engine_metrics import Metrics
from otel_guard.instrumentation._engine_patch import Patch, Place, find, unwrap, wrap
from otel_guard.instrumentation._engine_run import Book, Run, begin, exception_type, is_watched, write
from otel_guard.instrumentation._engine_services import Gate, Handover, Services, Unhandled, ignore
from otel_guard.instrumentation._engine_table import (
    ASTREAM,
    ASYNC,
    ON_ERROR,
    STREAM,
    SYNC,
    Adopt,
    Call,
    Count,
    Instrumentation,
    Kind,
    LibraryStatus,
    Status,
    Tally,
    Target,
)
from otel_guard.runtime.clock import SYSTEM, Clock
from otel_guard.runtime.failsafe import Failsafe

__all__ = [
    "ASTREAM",
    "ASYNC",
    "ON_ERROR",
    "STREAM",
    "SYNC",
    "Adopt",
    "Block",
    "Book",
    "Call",
    "Count",
    "Engine",
    "Instrumentation",
    "Kind",
    "LibraryStatus",
    "Metrics",
    "Run",
    "Services",
    "Status",
    "Tally",
    "Target",
    "exception_type",
    "find",
    "instrumentor",
    "unwrap",
    "wrap",
    "write",
]


class Engine:
    """Watches libraries (instrumentation.md, section 1)."""

    def __init__(
        self,
        tracer: Tracer,
        meter: Meter,
        failsafe: Failsafe,
        *,
        handover: Handover,
        gate: Gate | None = None,
        flush: Callable[[], object] = ignore,
        unhandled: Unhandled = ignore,
        user: Callable[[str], None] = ignore,
        http_children: bool = False,
        opt_in: frozenset[str] = frozenset(),
        clock: Clock = SYSTEM,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        """The providers are for adopted instrumentors; None: the global ones."""
        self.services = Services(
            tracer=tracer,
            meter=meter,
            failsafe=failsafe,
            handover=handover,
            gate=gate,
            unhandled=unhandled,
            user=user,
            flush=flush,
            clock=clock,
            http_children=http_children,
            opt_in=opt_in,
            tracer_provider=tracer_provider,
            meter_provider=meter_provider,
        )
        self._metrics = Metrics(meter)
        self._watched: dict[str, _Watched] = {}
        self._is_closed = False

    def install(self, table: Instrumentation) -> None:
        """Watch a library as its modules load; a second time does nothing."""
        if self._is_closed or ((old := self._watched.get(table.name)) is not None and old.book.is_on):
            return
        watched = self._watched[table.name] = _Watched(self.book(table))
        for module in dict.fromkeys(target.module for target in table.targets):
            wrapt.register_post_import_hook(partial(self._loaded, watched, module), module)

    def uninstrument(self, name: str | None = None) -> None:
        """Put back what was wrapped, of one library or all; where others wrapped ours, it passes calls through."""
        for library in [name] if name is not None else list(self._watched):
            watched = self._watched.pop(library, None)
            if watched is not None:
                with self.services.failsafe(f"uninstrument {library}"):
                    watched.undo()

    def close(self) -> None:
        """Put all back; what is imported later is left alone."""
        self._is_closed = True
        self.uninstrument()

    def status(self) -> tuple[LibraryStatus, ...]:
        """How each installed library is watched now."""
        return tuple(watched.status() for watched in self._watched.values())

    def book(self, table: Instrumentation) -> Book:
        """A new book, for calls that are no function of a library (`watch`)."""
        return Book(table, self.services, self._metrics)

    def begin(self, book: Book, target: Target, call: Call) -> Run | None:
        """Start one call by hand; None: pass it through. End it with `returned` or `failed`."""
        return begin(book, target, call) if is_watched(book) else None

    def _loaded(self, watched: "_Watched", name: str, module: ModuleType) -> None:
        # An exception here would end the application's import.
        try:
            with self.services.failsafe(f"instrument {watched.book.table.name}"):
                watched.loaded(name, module)
                return
            watched.fail()
        except Exception:
            watched.fail()
            raise


class _Watched:
    """One installed library: its patches, what undoes them, and what is missing."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._patches: list[Patch] = []
        self._undo: list[Callable[[], None]] = []
        self._missing: list[str] = []
        self._said: Status | None = None

    def loaded(self, name: str, module: ModuleType) -> None:
        """Wrap the targets of a module that was just loaded."""
        if not self.book.is_on:
            return
        targets = [target for target in self.book.table.targets if target.module == name]
        places = [(target, self._place(target, module)) for target in targets]
        lost = [target for target, place in places if place is None]
        self._missing += [_label(target) for target in lost]
        if any(not target.optional for target in lost):
            self.undo()
            self._said = "unsupported"
            return
        for target, place in places:
            if isinstance(target, Adopt) and place is not None:
                self._adopt(target)
            elif isinstance(target, Target | Count) and isinstance(place, Place):
                self._patches.append(wrap(place, wrapper(self.book, target, place.original)))

    def undo(self) -> None:
        """Put everything back."""
        self.book.is_on = False
        while self._patches:
            unwrap(self._patches.pop())
        while self._undo:
            self._undo.pop()()

    def fail(self) -> None:
        """A fault of ours while instrumenting."""
        self._said = "failed"
        self.book.is_on = False

    def status(self) -> LibraryStatus:
        """Its row of doctor."""
        name = self.book.table.name
        detail = "missing: " + ", ".join(self._missing) if self._missing else ""
        if self._said is not None:
            return LibraryStatus(name, self._said, detail)
        if self.book.failures and not self.book.is_on:
            return LibraryStatus(name, "failed", f"switched off after {self.book.failures} failures of ours")
        if not self._patches and not self._undo:
            return LibraryStatus(name, "waiting", "not loaded yet")
        return LibraryStatus(name, "partial" if self._missing else "watched", detail)

    def _place(self, target: Target | Count | Adopt, module: ModuleType) -> Place | bool | None:
        if isinstance(target, Adopt):
            return True if all(_exists(name, dotted) for name, dotted in target.needs) else None
        return find(module, target.name, target.parameters if isinstance(target, Target) else ())

    def _adopt(self, target: Adopt) -> None:
        undo = target.adopt(self.book.services)
        self._undo.append(undo if undo is not None else ignore)


def _exists(module: str, dotted: str) -> bool:
    try:
        return find(import_module(module), dotted) is not None
    except ImportError:  # an older version of the library lacks the module itself
        return False


def _label(target: Target | Count | Adopt) -> str:
    return target.module if isinstance(target, Adopt) else f"{target.module}.{target.name}"


def instrumentor(module: str, name: str, **options: Any) -> Callable[[Services], Callable[[], None] | None]:
    """Adopt an instrumentor of OpenTelemetry's; what the application started itself is left as it is."""

    def adopt(services: Services) -> Callable[[], None] | None:
        loaded = sys.modules.get(module)
        if loaded is not None and not hasattr(loaded, name):
            return (
                None  # the application is importing it right now, and the library through it: it is the one to start it
            )
        theirs = getattr(import_module(module), name)()
        if theirs.is_instrumented_by_opentelemetry:
            return None
        # Its own check of versions is stricter than what works, and only logs: we looked for what it needs.
        given = {"tracer_provider": services.tracer_provider, "meter_provider": services.meter_provider, **options}
        theirs.instrument(skip_dep_check=True, **given)
        undo: Callable[[], None] = theirs.uninstrument
        return undo

    return adopt

"""One sighting of a failure, by whichever way it came."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from otel_guard.capture.roots import Root
from otel_guard.core.classify import Kind
from otel_guard.core.record import Context, Severity

Way = Literal["span", "log", "hook", "signal", "capture"]


class Seen(Struct, kw_only=True):
    """What one way in knows; the pipeline adds nothing but decisions."""

    way: Way
    exc: BaseException | None
    kind: Kind = Kind("other", None, "")
    span_kind: str | None = None
    error_type: str | None = None  # OTel's, where there is no exception or the instrumentation knows better
    error_class: str | None = None
    message: str | None = None  # of a failure without an exception
    is_said: bool = False  # *message* replaces the exception's own text, which holds customer data
    attributes: Mapping[str, object] = {}
    trace_id: int = 0
    span_id: int = 0
    ancestors: tuple[str, ...] = ()
    started_ms: int | None = None
    caused_by: str | None = None  # the record whose exception was being handled when the span began
    root: Root | None = None
    is_unhandled: bool = False
    is_warning: bool = False  # recorded on a span that did not fail
    floor: Severity | None = None  # at least this bad, whatever the table says
    severity: Severity | None = None  # said by the application: final
    context: Context | None = None
    user_id: str | None = None
    route: str | None = None
    metadata: Mapping[str, object] = {}
    logged: dict[str, object] | None = None
    has_callers: bool = True  # live frames above the traceback belong to the failure

    @property
    def trace_hex(self) -> str | None:
        """32 hex digits."""
        return f"{self.trace_id:032x}" if self.trace_id else None

    @property
    def span_hex(self) -> str | None:
        """16 hex digits."""
        return f"{self.span_id:016x}" if self.span_id else None

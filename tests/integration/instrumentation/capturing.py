"""An engine whose failures go through the capture into a journal in memory: what would become rows."""

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from otel_guard.capture.parts import Capture
from otel_guard.capture.roots import Roots
from otel_guard.core.record import Amendment, ErrorRecord, Record
from otel_guard.core.redaction import Redactor
from otel_guard.instrumentation._engine import Instrumentation
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.settings import Settings
from tests.unit.instrumentation.conftest import MakeWorld, World

Graded = tuple[str, str, str | None, str]


class Kept:
    """A journal in memory."""

    writer_id = "w"

    def __init__(self) -> None:
        self.all: list[Record] = []
        self._seq = 0

    def append(self, record: Record, /) -> bool:
        self.all.append(record)
        return True

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq


class Capturing:
    """A world and the records that came of it."""

    def __init__(self, make_world: MakeWorld, *tables: Instrumentation, **options: Any) -> None:
        self._journal = Kept()
        self.settings = Settings()
        self._world: World | None = None
        capture = Capture(
            self.settings,
            self._journal,
            Redactor(),
            Roots(),
            SYSTEM,
            Failsafe(strict=True),
            own_peers=frozenset(),
            wake=lambda: None,
            on_amendment=lambda _: None,
            observe=lambda _: None,
            on_user=lambda _: None,
            meter=(meters := _Late()),  # type: ignore[arg-type]
        )
        self.capture = capture
        self.world = make_world(handover=capture.entrances.handover, **options)
        meters.meter = self.world.meters.get_meter("otel_guard")
        self.world.provider.add_span_processor(capture.processor)
        for table in tables:
            self.world.engine.install(table)

    def records(self) -> list[ErrorRecord]:
        """The failures."""
        return [record for record in self._journal.all if isinstance(record, ErrorRecord)]

    def amendments(self) -> list[Amendment]:
        """What came later."""
        return [record for record in self._journal.all if isinstance(record, Amendment)]

    def record(self) -> ErrorRecord:
        """The only failure."""
        (record,) = self.records()
        return record

    def graded(self) -> Graded:
        """Context, system, error class and severity of the only failure."""
        record = self.record()
        return record.context, str(record.system), record.error_class, record.severity

    def attributes(self) -> dict[str, Any]:
        """The attributes kept with the only failure."""
        kept = self.record().metadata["attributes"]
        assert isinstance(kept, dict)
        return kept

    def everything(self) -> str:
        """All that was kept or would be exported, as text."""
        return repr(self._journal.all) + "".join(span.to_json() for span in self.world.spans())

    def spans(self) -> list[ReadableSpan]:
        """The finished spans."""
        return self.world.spans()

    def points(self, name: str) -> list[Any]:
        """The data points of a metric."""
        return self.world.points(name)


class _Late:
    """A meter that comes after what needs it."""

    meter: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.meter, name)

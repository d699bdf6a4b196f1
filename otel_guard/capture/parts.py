"""The capture's parts, introduced to each other."""

from collections.abc import Callable, Mapping

from opentelemetry import metrics

from otel_guard.capture import log_records
from otel_guard.capture.derived_metrics import DerivedMetrics
from otel_guard.capture.entrances import Entrances
from otel_guard.capture.excepthooks import Excepthooks
from otel_guard.capture.logs import LogCapture
from otel_guard.capture.pipeline import Pipeline, Writes
from otel_guard.capture.recording import Recording, Redacts
from otel_guard.capture.roots import Roots
from otel_guard.capture.span_processor import GuardSpanProcessor
from otel_guard.capture.stats import Stats
from otel_guard.capture.traceback import Tracebacks
from otel_guard.core.classify import Call
from otel_guard.core.record import CONTEXTS, Amendment, Context
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.settings.tree import Settings


class Capture:
    """All ways in and what they share."""

    def __init__(
        self,
        settings: Settings,
        journal: Writes,
        redactor: Redacts,
        roots: Roots,
        clock: Clock,
        failsafe: Failsafe,
        *,
        own_peers: frozenset[tuple[str, int]],
        wake: Callable[[], None],
        on_amendment: Callable[[Amendment], None],
        observe: Callable[[Call], None],
        on_user: Callable[[str], None],
        meter: metrics.Meter | None = None,
    ) -> None:
        """*meter*: for what spans come without; None: the global one."""
        hosts = extra_hosts(settings)
        self.roots = roots
        tracebacks = Tracebacks(redactor.text)
        thresholds: dict[str, int] = {context: getattr(settings.slow, f"{context}_ms") for context in CONTEXTS}
        self.stats = Stats(thresholds, tracebacks.frames, redactor.text, journal.append, clock, wake)
        recording = Recording(redactor, tracebacks, self.stats.place)
        self.pipeline = Pipeline(journal, recording, settings.classify, clock, on_amendment)
        self.processor = GuardSpanProcessor(
            roots,
            self.pipeline,
            self.stats,
            failsafe,
            hosts=hosts,
            own_peers=own_peers,
            observers=(observe,),
            derive=DerivedMetrics(meter or metrics.get_meter("otel_guard")).ended,
            on_user=on_user,
        )
        self.entrances = Entrances(roots, self.pipeline, self.processor, hosts)
        self._failsafe = failsafe
        self._log_records: log_records.GuardLogRecordProcessor | None = None
        self._hooks = Excepthooks(self.entrances, failsafe)
        self._logs = LogCapture(self.entrances, failsafe, is_plain_captured=settings.capture.error_logs)

    def install(self) -> None:
        """Begin to listen to logs and hooks."""
        self._log_records = log_records.attach(self.entrances, self._failsafe)
        self._logs.install()
        self._hooks.install()

    def uninstall(self) -> None:
        """Stop listening."""
        if self._log_records is not None:
            self._log_records.shutdown()
        self._logs.uninstall()
        self._hooks.uninstall()

    def after_fork(self) -> None:
        """In the child: nothing of the parent's is ours."""
        self.roots.forget_all()
        self.stats.forget_all()
        self.pipeline.forget_all()


def extra_hosts(settings: Settings) -> Mapping[str, Context]:
    """The settings' own provider hosts."""
    found: dict[str, Context] = {}
    groups: tuple[tuple[Context, tuple[str, ...]], ...] = (
        ("payment", settings.hosts.payment),
        ("ai", settings.hosts.ai),
        ("email", settings.hosts.email),
    )
    for context, names in groups:
        found |= dict.fromkeys(names, context)
    return found

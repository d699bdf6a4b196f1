"""One Sentry event a failure: what the application does not report itself, sent at once and answered."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import sentry_sdk
from sentry_sdk.client import SDK_INFO
from sentry_sdk.consts import VERSION
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.logging import ignore_logger
from sentry_sdk.profiler import continuous_profiler
from sentry_sdk.scope import add_global_event_processor, global_event_processors
from sentry_sdk.transport import Transport
from sentry_sdk.utils import BadDsn, Dsn

from otel_guard.core.delivery import Batch, Delivered, Outcome, Quarantine, Retry
from otel_guard.core.record import Amendment, ErrorRecord
from otel_guard.runtime.clock import Clock
from otel_guard.runtime.http import Http
from otel_guard.runtime.private import SENTRY_PROFILER_SCHEDULER
from otel_guard.sinks.sentry_answer import Answer, Later, Refused, Taken
from otel_guard.sinks.sentry_event import Event, Redacts, event_of
from otel_guard.sinks.sentry_post import EnvelopePost
from otel_guard.sinks.sentry_target import Target
from otel_guard.sinks.sentry_waiting import Waiting

LINGER_S: Final = 0.25
SAY_EACH_S: Final = 60.0
UNUSABLE_S: Final = 30.0
CLIENT: Final = f"sentry.python/{VERSION}"
QUIET_LOGGERS: Final = ("otel_guard*", "opentelemetry.exporter.*", "opentelemetry.sdk.*")


def check_dsn(text: str) -> str | None:
    """Say what is wrong with a Sentry DSN and what to do; None: nothing. The DSN itself is never shown."""
    try:
        Dsn(text.strip())
    except (BadDsn, ValueError):
        return (
            "SENTRY_DSN is not a Sentry DSN: write https://KEY@HOST/PROJECT_NUMBER; until then nothing goes to Sentry"
        )
    return None


def watch_own_events(seen: Callable[[BaseException, str], None]) -> Callable[[], None]:
    """Call *seen* with the exception and id of each event of the application's own SDK; gives what ends it."""

    def processor(event: Any, hint: Mapping[str, Any]) -> Any:
        exc, own_id = _exception(hint), event.get("event_id")
        if exc is not None and own_id and event.get("type") in (None, "default", "error"):
            seen(exc, str(own_id))
        return event

    def stop() -> None:
        if processor in global_event_processors:
            global_event_processors.remove(processor)

    for name in QUIET_LOGGERS:
        ignore_logger(name)
    add_global_event_processor(processor)
    return stop


class SentrySink:
    """A reader of the journal that gives Sentry what the application's own SDK did not."""

    def __init__(
        self,
        *,
        dsn: str | None,
        environment: str,
        release: str | None,
        redactor: Redacts,
        root_ended: Callable[[str], bool],
        clock: Clock,
        say: Callable[[str], None],
        root: str = "",
    ) -> None:
        """*dsn* holds where the application has no client of its own; *root* is the working folder."""
        self.closing = False
        self.delivered = 0
        self.skipped = 0  # the application's own event exists, or a handled decline
        self.dropped: Counter[str] = Counter()  # by reason: no_sentry, refused, before_send, …
        self._fallback = Target(
            dsn=dsn if dsn and check_dsn(dsn) is None else None, environment=environment, release=release
        )
        self._redactor = redactor
        self._clock = clock
        self._say = say
        self._root = root
        self._waiting = Waiting(root_ended, clock)
        self._client: _Isolated | None = None
        self._not_before = 0.0
        self._said_at: float | None = None

    def amended(self, amendment: Amendment) -> None:
        """Take an amendment at once, from any thread; its frame may come again."""
        self._waiting.tell(amendment)

    def deliver(self, batch: Batch) -> Outcome:
        """Send what is due; the records before the first that waits are settled."""
        settled, waits = 0, False
        for late in self._waiting.learn(batch.records):
            if trouble := self._send(late, batch):
                return trouble
        for record in batch.records:
            if isinstance(record, ErrorRecord):
                done = self._take(record, batch)
                if isinstance(done, Retry) and settled:
                    return Delivered(settled)  # the next call says Retry
                if isinstance(done, Retry | Quarantine):
                    return done
                waits = waits or not done
            settled += not waits
        return Delivered(settled, LINGER_S) if waits else Delivered()

    def close(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _take(self, record: ErrorRecord, batch: Batch) -> bool | Retry | Quarantine:
        """Whether *record* is settled now."""
        record, verdict = self._waiting.judge(record, is_open=batch.is_own and not self.closing)
        if verdict == "skip":
            self.skipped += 1
        return (self._send(record, batch) or True) if verdict == "send" else verdict != "wait"

    def _send(self, record: ErrorRecord, batch: Batch) -> Retry | Quarantine | None:
        """Send one event; None: nothing more is to be done about *record*."""
        if (wait_s := self._not_before - self._clock.monotonic()) > 0:
            return Retry("Sentry asked for a pause", wait_s)
        try:
            client = self._current()
        except Exception as error:  # such as options of the application's client that we can't use
            return Retry(f"no Sentry client could be made: {type(error).__name__}", UNUSABLE_S)
        try:
            result = client.send(self._event(record, batch)) if client else "no_sentry"
        except Exception as error:
            self._waiting.settle(record)
            return Quarantine(frozenset({record.id}), f"{type(error).__name__} while its Sentry event was built")
        if isinstance(result, Later):
            self._not_before = self._clock.monotonic() + (result.after_s or 0.0)
            return Retry(result.why, result.after_s)
        self._waiting.settle(record)
        self._count(result)
        return None

    def _event(self, record: ErrorRecord, batch: Batch) -> Event:
        event = event_of(record, batch.head, self._redactor, self._root)
        if not batch.is_own:  # an older release may have written it; else the client's own options hold
            event |= {"environment": batch.head.environment, "release": batch.head.release}
        return event

    def _count(self, result: Taken | Refused | str) -> None:
        match result:
            case Taken(wait_s):
                self.delivered += 1
                self._not_before = self._clock.monotonic() + wait_s
            case Refused(status):
                self.dropped["refused"] += 1
                self._complain(status)
            case reason:
                self.dropped[reason] += 1

    def _complain(self, status: int) -> None:
        now = self._clock.monotonic()
        if self._said_at is None or now - self._said_at >= SAY_EACH_S:
            self._said_at = now
            count = self.dropped["refused"]
            self._say(f"Sentry refused an event with {status} ({count} so far): check SENTRY_DSN and the project's key")

    def _current(self) -> "_Isolated | None":
        """The client for what holds now: the application may start its own at any time."""
        target = _where(self._fallback)
        if self._client is None or self._client.target != target:
            self.close()
            self._client = _Isolated(target, self._clock) if target.dsn else None
        return self._client


def _where(fallback: Target) -> Target:
    own = sentry_sdk.get_client()
    if not own.is_active() or not own.dsn:
        return fallback
    options = own.options
    return Target(
        dsn=own.dsn,
        environment=options.get("environment") or fallback.environment,
        release=options.get("release") or fallback.release,
        before_send=options.get("before_send"),
        http_proxy=options.get("http_proxy"),
        https_proxy=options.get("https_proxy"),
        ca_certs=options.get("ca_certs"),
    )


class _Isolated:
    """A client of our own that shares nothing with the application's but the target."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self.target = target
        self._transport = _AtOnce(target, clock)
        with _application_untouched():
            self._client = sentry_sdk.Client(
                dsn=target.dsn,
                environment=target.environment,
                release=target.release,
                before_send=target.before_send,
                transport=self._transport,
                default_integrations=False,
                auto_enabling_integrations=False,
                auto_session_tracking=False,
                enable_backpressure_handling=False,
                send_client_reports=False,
                attach_stacktrace=False,
                spotlight=False,
                debug=False,
            )

    def send(self, event: Event) -> Answer | str:
        """Send *event*; what Sentry answered, or why the client itself dropped it."""
        self._transport.answer, self._transport.lost = None, None
        self._client.capture_event(event)  # type: ignore[arg-type]
        return self._transport.answer or self._transport.lost or "not_sent"

    def close(self) -> None:
        """Close the connection; nothing is pending."""
        self._client.close(timeout=0)


class _AtOnce(Transport):
    """Posts an envelope in the caller's thread and keeps the answer; the SDK's own gives up after one try."""

    def __init__(self, target: Target, clock: Clock) -> None:
        super().__init__({"dsn": target.dsn})
        dsn = Dsn(target.dsn or "")
        auth = dsn.to_auth(CLIENT)
        http = Http(proxy=target.proxy(dsn.scheme, dsn.host), ca_certs=target.ca_certs)
        self.answer: Answer | None = None
        self.lost: str | None = None
        self._post = EnvelopePost(http, auth.get_api_url(), auth.to_header(), CLIENT, clock)

    def capture_envelope(self, envelope: Envelope) -> None:
        """Post *envelope*."""
        self.answer = self._post(envelope.serialize())

    def record_lost_event(self, reason: str, data_category: Any = None, item: Any = None, *, quantity: int = 1) -> None:
        """Keep why the client dropped the event."""
        del data_category, item, quantity
        self.lost = reason

    def kill(self) -> None:
        """Close the connection."""
        self._post.close()


@contextmanager
def _application_untouched() -> Iterator[None]:
    """A new client renames the SDK and ends the running profiler for the whole process: put both back."""
    name = SDK_INFO["name"]
    scheduler = getattr(continuous_profiler, SENTRY_PROFILER_SCHEDULER, None)
    if scheduler is not None:
        setattr(continuous_profiler, SENTRY_PROFILER_SCHEDULER, None)
    try:
        yield
    finally:
        SDK_INFO["name"] = name
        if scheduler is not None:
            setattr(continuous_profiler, SENTRY_PROFILER_SCHEDULER, scheduler)


def _exception(hint: Mapping[str, Any]) -> BaseException | None:
    """The live exception of an event, also one that came by a log record."""
    info = hint.get("exc_info") or getattr(hint.get("log_record"), "exc_info", None)
    if isinstance(info, tuple) and len(info) > 1:
        info = info[1]
    return info if isinstance(info, BaseException) else None

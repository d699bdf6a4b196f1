"""The settings: one row each, with name, type, default and one sentence."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from otel_guard.core.record import Context, Severity

SECRET: Final = Meta(extra={"secret": True})
PREFIX: Final = "OTEL_GUARD_"


class Journal(Struct, frozen=True, kw_only=True):
    """The queue on disk."""

    dir: Annotated[str | None, Meta(description="Folder of the journals; its default is the state directory.")] = None
    limit_mb: Annotated[int, Meta(description="Most MiB a journal folder may take.", ge=1)] = 256


class Slow(Struct, frozen=True, kw_only=True):
    """Above how many milliseconds a call is slow."""

    database_ms: Annotated[int, Meta(description="A slower query is a slow call; 0: none.", ge=0)] = 500
    payment_ms: Annotated[int, Meta(description="A slower payment call is a slow call; 0: none.", ge=0)] = 2000
    email_ms: Annotated[int, Meta(description="A slower mail is a slow call; 0: none.", ge=0)] = 3000
    ai_ms: Annotated[int, Meta(description="A slower AI call is a slow call; 0: none.", ge=0)] = 15000
    api_ms: Annotated[int, Meta(description="A slower HTTP request is a slow call; 0: none.", ge=0)] = 0
    storage_ms: Annotated[int, Meta(description="A slower storage call is a slow call; 0: none.", ge=0)] = 0
    cache_ms: Annotated[int, Meta(description="A slower cache call is a slow call; 0: none.", ge=0)] = 0
    queue_ms: Annotated[int, Meta(description="A slower task is a slow call; 0: none.", ge=0)] = 0
    other_ms: Annotated[int, Meta(description="Any other slower call is a slow call; 0: none.", ge=0)] = 0


class Capture(Struct, frozen=True, kw_only=True):
    """What is recorded."""

    error_logs: Annotated[bool, Meta(description="ERROR logs without an exception are recorded too.")] = False
    opt_in: Annotated[tuple[str, ...], Meta(description="Opt-in attributes to keep, such as payment.amount.")] = ()


class Instrument(Struct, frozen=True, kw_only=True):
    """Which libraries are watched."""

    off: Annotated[tuple[str, ...], Meta(description="Libraries left alone.")] = ()
    on: Annotated[tuple[str, ...], Meta(description="Opt-in libraries, such as sqlite3.")] = ()
    http_children: Annotated[bool, Meta(description="HTTP spans stay below payment and email spans.")] = False


class Hosts(Struct, frozen=True, kw_only=True):
    """Hosts of providers beyond the known ones."""

    payment: Annotated[tuple[str, ...], Meta(description="More hosts of payment providers.")] = ()
    ai: Annotated[tuple[str, ...], Meta(description="More hosts of AI providers.")] = ()
    email: Annotated[tuple[str, ...], Meta(description="More hosts of email providers.")] = ()


class Redaction(Struct, frozen=True, kw_only=True):
    """What is hidden."""

    allow_keys: Annotated[tuple[str, ...], Meta(description="Keys whose values are never redacted by key.")] = ()
    deny_keys: Annotated[tuple[str, ...], Meta(description="Keys whose values are always redacted.")] = ()
    sentry_all: Annotated[bool, Meta(description="The application's own Sentry events are redacted too.")] = False


class Health(Struct, frozen=True, kw_only=True):
    """The health endpoints."""

    ready: Annotated[tuple[str, ...], Meta(description="Checks that /readyz asks.")] = ("database",)
    details: Annotated[
        Literal["never", "authorized", "public"], Meta(description="Who sees the details of /health.")
    ] = "authorized"
    token: Annotated[str | None, SECRET, Meta(description="Bearer token of the details, at least 32 bytes.")] = None


class Dashboard(Struct, frozen=True, kw_only=True):
    """The pages."""

    token: Annotated[str | None, SECRET, Meta(description="Login to the pages, at least 32 bytes.")] = None


class Monitor(Struct, frozen=True, kw_only=True):
    """The cycle of rules and alerts."""

    period_s: Annotated[int, Meta(description="Seconds between two cycles of the daemon.", ge=1)] = 15


class Retention(Struct, frozen=True, kw_only=True):
    """How long rows are kept."""

    errors_days: Annotated[int, Meta(description="Days that errors are kept.", ge=1)] = 91
    slow_days: Annotated[int, Meta(description="Days that slow calls are kept.", ge=1)] = 14
    minutes_days: Annotated[int, Meta(description="Days that minute sums are kept.", ge=1)] = 35
    hours_days: Annotated[int, Meta(description="Days that hourly error counts are kept.", ge=1)] = 395


class Payments(Struct, frozen=True, kw_only=True):
    """The payment pause."""

    enforce: Annotated[Literal["stripe"] | None, Meta(description="Refuse creations while payments are paused.")] = None
    auto: Annotated[Literal["propose", "on", "off"], Meta(description="Whether payments are paused by itself.")] = (
        "propose"
    )


class ClassifyRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `[[classify]]` row: all conditions given must hold; the first row that fits sets severity, context or both."""

    exception: str | None = None  # dotted; base classes match too
    context: Context | None = None
    system: str | None = None
    route: str | None = None
    message_starts_with: str | None = None
    severity: Severity | Literal["ignore"] | None = None
    set_context: Context | None = None


class RedactionRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `[[redaction.rule]]` row."""

    kind: str
    trigger: str
    pattern: str


class Settings(Struct, frozen=True, kw_only=True):
    """All settings; the rows of the groups read `group.name`."""

    enabled: Annotated[bool, Meta(description="false: nothing is instrumented, nothing recorded.")] = True
    strict: Annotated[bool, Meta(description="A bad variable or file raises SettingsError.")] = False
    dsn: Annotated[str | None, SECRET, Meta(description="The audit Postgres; never guessed from DATABASE_URL.")] = None
    sentry: Annotated[Literal["auto", "off"], Meta(description="auto: the application's own DSN, else SENTRY_DSN.")] = (
        "auto"
    )
    console: Annotated[Literal["auto", "on", "off"], Meta(description="Records on stderr; auto: without any sink.")] = (
        "auto"
    )
    environment: Annotated[str | None, Meta(description="Else deployment.environment.name, SENTRY_ENVIRONMENT.")] = None
    url: Annotated[str | None, Meta(description="The dashboard's address: base of links.")] = None
    secret_key: Annotated[str | None, SECRET, Meta(description="Signs links and sessions, at least 32 bytes.")] = None
    deadman_url: Annotated[str | None, SECRET, Meta(description="Pinged after each monitor cycle.")] = None
    exit_timeout_s: Annotated[float, Meta(description="Longest wait at exit, in seconds.", ge=0)] = 5.0
    journal: Journal = Journal()
    slow: Slow = Slow()
    capture: Capture = Capture()
    instrument: Instrument = Instrument()
    hosts: Hosts = Hosts()
    redaction: Redaction = Redaction()
    health: Health = Health()
    dashboard: Dashboard = Dashboard()
    monitor: Monitor = Monitor()
    retention: Retention = Retention()
    payments: Payments = Payments()
    classify: tuple[ClassifyRow, ...] = ()  # only in the file
    redaction_rules: tuple[RedactionRule, ...] = ()  # only in the file
    tables: Mapping[str, object] = {}  # [rule.*] [channel.*] [escalation.*] [check.*], only in the file


class Row(Struct, frozen=True, kw_only=True):
    """One setting, as environment, file, doctor and docs need it."""

    name: str  # dotted
    type: object
    default: object
    doc: str
    is_secret: bool

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + self.name.replace(".", "_").upper()

    @property
    def keyword(self) -> str:
        """Its keyword of `configure()`."""
        return self.name.replace(".", "_")

    @property
    def is_list(self) -> bool:
        """Whether the environment gives it by commas."""
        return isinstance(self.default, tuple)


ONLY_IN_FILE: Final = frozenset({"classify", "redaction_rules", "tables"})


def rows() -> tuple[Row, ...]:
    """All settings in the order of the tree."""
    return tuple(_rows(Settings, ""))


def _rows(group: type[Struct], prefix: str) -> Iterator[Row]:
    for field in msgspec.structs.fields(group):
        if isinstance(field.default, Struct):
            yield from _rows(type(field.default), f"{prefix}{field.name}.")
        elif field.name not in ONLY_IN_FILE:
            yield _row(prefix + field.name, field)


def _row(name: str, field: msgspec.structs.FieldInfo) -> Row:
    metas = getattr(field.type, "__metadata__", ())
    return Row(
        name=name,
        type=field.type,
        default=field.default,
        doc=next((meta.description for meta in metas if meta.description), ""),
        is_secret=any(meta is SECRET for meta in metas),
    )

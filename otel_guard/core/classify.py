"""What a span is: context, system and operation, by its attributes (instrumentation.md, section 11)."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, structs

from otel_guard.core import hosts, semconv
from otel_guard.core.record import Context

Attributes = Mapping[str, object]

SERVER: Final = "SERVER"
CONSUMER: Final = "CONSUMER"
CLIENT: Final = "CLIENT"
PRODUCER: Final = "PRODUCER"
INTERNAL: Final = "INTERNAL"
WEBHOOK_DURATION: Final = "payment.webhook.process.duration"
WEBHOOK_LAG: Final = "payment.webhook.lag"
_CACHES: Final = frozenset({"redis", "valkey", "memcached"})
_AWS_CONTEXTS: Final[dict[str, Context]] = {
    "s3": "storage",
    "ses": "email",
    "sqs": "queue",
    "sns": "queue",
    "dynamodb": "database",
}
_DATABASE_NAMES: Final = {"postgres": "postgresql", "mssql": "microsoft.sql_server", "oracle": "oracle.db"}
_AI_NAMES: Final = {
    "claude": "anthropic",
    "gemini": "gcp.gemini",
    "google_genai": "gcp.gemini",
    "gcp.gen_ai": "gcp.gemini",
}


class Kind(Struct, frozen=True):
    """The three names under which a call is counted and shown."""

    context: Context
    system: str | None
    operation: str


class Call(Struct, frozen=True, kw_only=True):
    """One finished call, for statistics and passive health."""

    kind: str
    context: Context
    system: str | None
    operation: str
    outcome: str  # ok, failed, partial, cancelled
    error_class: str | None
    duration_ms: float
    ended_ms: int
    route: str | None
    name: str  # of the duration metric


def kind_of(kind: str, name: str, scope: str, attributes: Attributes, extra: Mapping[str, Context]) -> Kind:
    """Classify a span; *extra* are more provider hosts, from the settings."""
    get = attributes.get
    if context := get(semconv.GUARD_CONTEXT):
        return _ours(str(context), name, attributes)
    if (model_call := get(semconv.GEN_AI_OPERATION_NAME)) is not None:
        return _ai(str(model_call), attributes)
    if get(semconv.GEN_AI_PROVIDER_NAME) is not None:
        return Kind("ai", _ai(name, attributes).system, name)  # of a call that has no model: counted tokens
    if get(semconv.RPC_SYSTEM) == "aws-api" or get(semconv.RPC_SYSTEM) == "aws":
        return _aws(name, attributes)
    if database := get(semconv.DB_SYSTEM_NAME) or get(semconv.DB_SYSTEM):
        return _database(str(database), name, attributes)
    if kind == CONSUMER or get(semconv.MESSAGING_SYSTEM) or get("celery.action"):
        system = get(semconv.MESSAGING_SYSTEM) or ("celery" if "celery" in scope else "queue")
        task = get("celery.task_name") or get(semconv.MESSAGING_DESTINATION_NAME)
        return Kind("queue", str(system), str(task or name))
    method = get(semconv.HTTP_REQUEST_METHOD) or get(semconv.HTTP_METHOD)
    if kind == SERVER:
        return Kind("api", "http", f"{method or 'HTTP'} {get(semconv.HTTP_ROUTE) or '*'}")
    if kind == CLIENT and method:
        return _http(str(method), attributes, extra)
    return Kind("other", scope or None, name)


def _ours(context: str, name: str, attributes: Attributes) -> Kind:
    system = (
        attributes.get(semconv.GUARD_SYSTEM)
        or attributes.get(semconv.PAYMENT_PROVIDER_NAME)
        or attributes.get(semconv.EMAIL_PROVIDER_NAME)
        or attributes.get(semconv.DB_SYSTEM_NAME)
        or attributes.get(semconv.GEN_AI_PROVIDER_NAME)
    )
    return Kind(context, str(system) if system else None, name)  # type: ignore[arg-type]


def _ai(operation: str, attributes: Attributes) -> Kind:
    system = str(attributes.get(semconv.GEN_AI_PROVIDER_NAME) or attributes.get(semconv.GEN_AI_SYSTEM) or "ai")
    model = attributes.get(semconv.GEN_AI_REQUEST_MODEL)
    return Kind("ai", _AI_NAMES.get(system, system), f"{operation} {model}" if model else operation)


def _aws(name: str, attributes: Attributes) -> Kind:
    service = str(attributes.get(semconv.RPC_SERVICE, "")).lower()
    service = "ses" if service == "sesv2" else service
    return Kind(_AWS_CONTEXTS.get(service, "api"), f"aws.{service}", str(attributes.get(semconv.RPC_METHOD) or name))


def _database(system: str, name: str, attributes: Attributes) -> Kind:
    context: Context = "cache" if system in _CACHES else "database"
    return Kind(context, _DATABASE_NAMES.get(system, system), str(attributes.get(semconv.DB_QUERY_SUMMARY) or name))


def _http(method: str, attributes: Attributes, extra: Mapping[str, Context]) -> Kind:
    host = host_of(attributes)
    known = hosts.provider_of(host, extra) if host else None
    context, system = known or ("api", "http")
    return Kind(context, system, f"{method} {host or '*'}")


def host_of(attributes: Attributes) -> str | None:
    """The peer's host name on a span, by new or old names."""
    value = attributes.get(semconv.SERVER_ADDRESS) or attributes.get(semconv.NET_PEER_NAME)
    if value is None:
        url = attributes.get(semconv.URL_FULL) or attributes.get(semconv.HTTP_URL)
        value = _host_in(str(url)) if url else None
    return str(value) if value else None


def _host_in(url: str) -> str | None:
    rest = url.partition("://")[2] or url
    authority = rest.partition("/")[0].rpartition("@")[2]
    return authority.partition(":")[0] or None


_METRICS: Final[dict[str, str]] = {
    "database": "db.client.operation.duration",
    "cache": "db.client.operation.duration",
    "ai": "gen_ai.client.operation.duration",
    "payment": "payment.client.operation.duration",
    "email": "email.client.operation.duration",
    "queue": "messaging.process.duration",
}


def metric_name(kind: str, context: Context) -> str:
    """OTel's duration metric of a call, the `name` of its sums."""
    if kind == SERVER:
        return "http.server.request.duration"
    if kind == CONSUMER and context == "payment":
        return WEBHOOK_DURATION
    if context in {"api", "storage"}:
        return "http.client.request.duration"
    return _METRICS.get(context, "otel_guard.call.duration")


def webhook_calls(call: Call, attributes: Attributes) -> tuple[Call, ...]:
    """What a span says of a webhook beside its own call.

    The lag until it was handled; of a request that only carries the event's type, how long it took.
    """
    kind, found = attributes.get(semconv.PAYMENT_WEBHOOK_EVENT_TYPE), []
    if kind is None:
        return ()
    system = str(attributes.get(semconv.PAYMENT_PROVIDER_NAME) or "unknown")
    event = structs.replace(call, context="payment", system=system, operation=f"process {kind}", route=None)
    if call.name != WEBHOOK_DURATION:
        found.append(structs.replace(event, name=WEBHOOK_DURATION))
    created = attributes.get(semconv.PAYMENT_WEBHOOK_EVENT_CREATED)
    if isinstance(created, int | float):
        lag_ms = max(0.0, call.ended_ms - created * 1000)
        found.append(structs.replace(event, name=WEBHOOK_LAG, duration_ms=lag_ms, outcome="ok"))
    return tuple(found)

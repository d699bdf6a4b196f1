"""botocore: contrib's spans; SES sends mail, and every failure gets its class (instrumentation.md, section 8)."""

import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Final

import wrapt
from opentelemetry import trace
from opentelemetry.trace import Span

from otel_guard.core import aws_errors, semconv
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.core.record import Context
from otel_guard.instrumentation._botocore_email import PROVIDER, answered, counted, operation_of
from otel_guard.instrumentation._engine import Adopt, Instrumentation, Metrics, Services, instrumentor, write
from otel_guard.instrumentation._engine_email import DURATION, TALLIES, email_facts

_CONTRIB: Final = "opentelemetry.instrumentation.botocore"
_Hook = Callable[[Span, str, str, Any], object]
_started: Final[ContextVar[tuple[tuple[Facts, float], ...]]] = ContextVar("otel_guard_aws", default=())
_MESSAGE_LIMIT: Final = 300


def _table(context: Context, duration: str, **more: Any) -> Instrumentation:
    return Instrumentation(
        name="botocore", requires="botocore >= 1.34", context=context, system="aws", duration=duration, **more
    )


_EMAIL: Final = _table("email", DURATION, tallies=TALLIES)
_DATABASE: Final = _table("database", "db.client.operation.duration")
_OTHERS: Final = _table("api", "rpc.client.call.duration")


class _Hooks:
    """The two hooks of contrib's instrumentor, before the application's own."""

    def __init__(self, services: Services, theirs: Any) -> None:
        self._services = services
        self._metrics = Metrics(services.meter)
        self._theirs: tuple[_Hook | None, _Hook | None] = theirs.request_hook, theirs.response_hook
        self._instrumentor = theirs
        theirs.request_hook, theirs.response_hook = self.request, self.response

    def undo(self) -> None:
        """Leave the application's own hooks, if nobody has put others there."""
        if self._instrumentor.request_hook == self.request:
            self._instrumentor.request_hook = self._theirs[0]
        if self._instrumentor.response_hook == self.response:
            self._instrumentor.response_hook = self._theirs[1]

    def request(self, span: Span, service: str, operation: str, params: Any) -> None:
        """A call begins."""
        facts = Facts(operation, {}, {})
        with self._services.failsafe("botocore.request"):
            facts = _facts(span, service, operation, params)
            if span.is_recording() and semconv.EMAIL_PROVIDER_NAME in facts.attributes:
                span.set_attributes(facts.attributes)
        _started.set((*_started.get(), (facts, self._services.clock.monotonic())))
        if callable(self._theirs[0]):
            self._theirs[0](span, service, operation, params)

    def response(self, span: Span, service: str, operation: str, result: Any) -> None:
        """It ends: with an answer, an answer that is an error, or none."""
        with self._services.failsafe("botocore.response"):
            self._ended(span, operation, result)
        if callable(self._theirs[1]):
            self._theirs[1](span, service, operation, result)

    def _ended(self, span: Span, operation: str, result: Any) -> None:
        started = _started.get()
        if not started:
            return
        _started.set(started[:-1])
        facts, began = started[-1]
        is_mail = semconv.EMAIL_PROVIDER_NAME in facts.attributes
        exc = _raised(result)
        if exc is not None:
            outcome = _failed(exc, operation, result, is_mail=is_mail)
        else:
            outcome = answered(result) if is_mail else Outcome("ok")
        if span.is_recording() and (is_mail or outcome.kind == "failed"):
            write(span, exc, outcome)
        if outcome.kind == "cancelled":
            return
        self._metrics.ended(_of(facts), facts, outcome, self._services.clock.monotonic() - began)
        if outcome.kind != "ok":
            self._services.handover(span, exc, outcome, facts)


def adopt(services: Services) -> Callable[[], None]:
    """Start contrib's instrumentor, unless the application did, and hook into it."""
    quiet = _QuietProvider(services.tracer_provider)
    stop = instrumentor(_CONTRIB, "BotocoreInstrumentor", tracer_provider=quiet)(services)
    hooks = _Hooks(services, import_module(_CONTRIB).BotocoreInstrumentor())

    def undo() -> None:
        hooks.undo()
        if stop is not None:
            stop()

    return undo


class _QuietProvider:
    """Tracers that record no exception: SES's texts hold addresses; the hooks tell what happened."""

    def __init__(self, provider: trace.TracerProvider | None) -> None:
        self._provider = provider

    def get_tracer(self, *args: Any, **kwargs: Any) -> "_QuietTracer":
        """A tracer of the provider's."""
        return _QuietTracer((self._provider or trace.get_tracer_provider()).get_tracer(*args, **kwargs))


class _QuietTracer(wrapt.ObjectProxy):  # type: ignore[type-arg] # generic for type checkers only
    """A tracer that records no exception."""

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """As the tracer's own."""
        return self.__wrapped__.start_as_current_span(*args, **{**kwargs, "record_exception": False})


def _facts(span: Span, service: str, operation: str, params: Any) -> Facts:
    attributes = getattr(span, "attributes", None) or {}
    host = attributes.get(semconv.SERVER_ADDRESS)
    called: dict[str, Attribute] = {
        semconv.RPC_SYSTEM: "aws-api",
        semconv.RPC_SERVICE: str(attributes.get(semconv.RPC_SERVICE) or service),
        semconv.RPC_METHOD: operation,
    }
    if (sends := operation_of(service, operation)) is not None:
        known = counted(operation, params if isinstance(params, Mapping) else {})
        return email_facts(PROVIDER, sends, host, {**called, **known})
    metric: dict[str, Attribute] = {semconv.SERVER_ADDRESS: str(host)} if host else {}
    if service == "dynamodb":
        metric |= {semconv.DB_SYSTEM_NAME: "aws.dynamodb", semconv.DB_OPERATION_NAME: operation}
    else:
        metric |= called
    return Facts(operation, {**metric, **called}, metric)


def _of(facts: Facts) -> Instrumentation:
    if semconv.EMAIL_PROVIDER_NAME in facts.attributes:
        return _EMAIL
    return _DATABASE if semconv.DB_SYSTEM_NAME in facts.metric_attributes else _OTHERS


def _raised(result: Any) -> BaseException | None:
    """The exception that is on its way out; another may be live, in whose `except` a call succeeded."""
    live = sys.exc_info()[1]
    return live if result is None or getattr(live, "response", None) is result else None


def _failed(exc: BaseException, operation: str, result: Any, *, is_mail: bool) -> Outcome:
    if not isinstance(exc, Exception):
        return Outcome("cancelled", type(exc).__name__, "cancelled")
    name, said = type(exc).__name__, f"no answer to {operation}"
    if not isinstance(result, Mapping):
        message = f"{name}: {said}" if is_mail else None
        return Outcome("failed", name, aws_errors.class_of_exception(exc), {}, message)
    error, metadata = result.get("Error") or {}, result.get("ResponseMetadata") or {}
    code, status = str(error.get("Code") or name), metadata.get("HTTPStatusCode")
    status = status if isinstance(status, int) else None
    words = str(error.get("Message") or "")[:_MESSAGE_LIMIT].lower()
    attributes: dict[str, Attribute] = {} if status is None else {semconv.HTTP_RESPONSE_STATUS_CODE: status}
    message = f"{code}: HTTP {status}" if is_mail else None
    return Outcome("failed", code, aws_errors.error_class(code, status, words), attributes, message)


BOTOCORE: Final = Instrumentation(
    name="botocore",
    requires="botocore >= 1.34",
    context="api",
    system="aws",
    targets=(
        Adopt(
            module="botocore.client",
            adopt=adopt,
            needs=(
                ("botocore.client", "BaseClient._make_api_call"),
                ("botocore.endpoint", "Endpoint.prepare_request"),
            ),
        ),
    ),
)

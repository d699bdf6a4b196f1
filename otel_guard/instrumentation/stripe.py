"""Stripe: one span a logical call, its retries inside (instrumentation.md, section 7)."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from otel_guard.core import semconv, stripe_path
from otel_guard.core.error_class import by_status
from otel_guard.core.outcome import Attribute, Facts, Outcome
from otel_guard.instrumentation._engine import ASYNC, SYNC, Call, Count, Instrumentation, Target
from otel_guard.instrumentation._stripe_webhooks import TARGETS as WEBHOOKS

_RESENT: Final = "resent"
_IDEMPOTENCY_KEY: Final = "idempotency_key"
_SERVER_ERROR: Final = 500
_BY_CLASS: Final[dict[str, str]] = {
    "CardError": "declined",
    "RateLimitError": "rate_limit",
    "AuthenticationError": "auth",
    "PermissionError": "auth",
    "IdempotencyError": "client",
    "InvalidRequestError": "client",
}
_BY_CODE: Final[dict[str, str]] = {
    "processing_error": "server",
    "lock_timeout": "contention",
    "idempotency_key_in_use": "contention",
    "rate_limit": "rate_limit",
}
_AMOUNTS: Final[tuple[tuple[str, type, str], ...]] = (
    ("amount", int, semconv.PAYMENT_AMOUNT),
    ("currency", str, semconv.PAYMENT_CURRENCY),
)


def describe(call: Call) -> Facts:
    """Facts of `_APIRequestor.request*`."""
    called = stripe_path.parse(call.argument("method"), call.argument("url"))
    options = call.argument("options") or {}
    where = _where(call.instance, call.argument("base_address", "api"), options)
    return _facts(called, call.argument("method"), call.argument("params"), where)


def describe_raw(call: Call) -> Facts:
    """Facts of `StripeClient.raw_request*`, whose options are among the parameters."""
    called = stripe_path.parse(call.argument("method_"), call.argument("url_"))
    requestor = getattr(call.instance, "_requestor", None)
    where = _where(requestor, call.kwargs.get("base", "api"), call.kwargs)
    return _facts(called, call.argument("method_"), call.kwargs, where)


def on_result(call: Call, _of: Facts, value: Any) -> Outcome:
    """What a successful answer tells; a stream has only headers."""
    response = getattr(value, "last_response", None) or value
    found = {
        semconv.HTTP_RESPONSE_STATUS_CODE: (getattr(response, "code", None), int),
        semconv.STRIPE_REQUEST_ID: (getattr(response, "request_id", None), str),
        semconv.PAYMENT_RESOURCE_ID: (getattr(value, "id", None), str),
        semconv.PAYMENT_STATUS: (getattr(value, "status", None), str),
        semconv.STRIPE_LIVEMODE: (getattr(value, "livemode", None), bool),
    }
    return Outcome("ok", attributes={**_resent(call), **_typed(found)})


def on_error(call: Call, _of: Facts, exc: BaseException) -> Outcome:
    """What an error tells, without the customer's data that it carries."""
    status, body = getattr(exc, "http_status", None), _error_body(exc)
    error_class = _error_class(exc, status, body)
    attributes = _resent(call) | _typed(
        {
            semconv.HTTP_RESPONSE_STATUS_CODE: (status, int),
            semconv.STRIPE_REQUEST_ID: (getattr(exc, "request_id", None), str),
            semconv.STRIPE_ERROR_TYPE: (body.get("type"), str),
            semconv.STRIPE_ERROR_CODE: (_code(exc, body), str),
            semconv.STRIPE_ERROR_DECLINE_CODE: (body.get("decline_code"), str),
        }
    )
    is_open_ended = not isinstance(exc, Exception) or error_class in {"timeout", "connection", "server"}
    if is_open_ended and _IDEMPOTENCY_KEY in call.notes and (call.argument("method") or "post").lower() == "post":
        attributes[semconv.PAYMENT_IDEMPOTENCY_KEY] = call.notes[_IDEMPOTENCY_KEY]
    names = _class_names(exc)
    error_type = names[0] if "IdempotencyError" in names else _code(exc, body) or names[0]
    return Outcome("failed", error_type, error_class, attributes, _message(exc, status))


def resent(call: Call, _value: Any) -> None:
    """Stripe's client asked how long to wait before the next attempt."""
    call.notes[_RESENT] = call.notes.get(_RESENT, 0) + 1


def keyed(call: Call, headers: Any) -> None:
    """Stripe's client made the headers: of these only the idempotency key is read."""
    key = headers.get("Idempotency-Key")
    if isinstance(key, str):
        call.notes[_IDEMPOTENCY_KEY] = key


def _facts(called: stripe_path.StripeCall, method: str, params: Any, where: Mapping[str, Attribute]) -> Facts:
    metric: dict[str, Attribute] = {
        semconv.PAYMENT_PROVIDER_NAME: "stripe",
        semconv.PAYMENT_OPERATION_NAME: called.operation,
        semconv.PAYMENT_RESOURCE_TYPE: called.resource,
    }
    if (host := where.get(semconv.SERVER_ADDRESS)) is not None:
        metric[semconv.SERVER_ADDRESS] = host
    known = {**where, semconv.HTTP_REQUEST_METHOD: method.upper(), semconv.URL_TEMPLATE: called.template}
    if isinstance(params, Mapping):
        known |= _typed({key: (params.get(name), kind) for name, kind, key in _AMOUNTS})
    return Facts(f"{called.operation} {called.resource}", {**metric, **known}, metric)


def _where(requestor: Any, base: str, options: Mapping[str, Any]) -> dict[str, Attribute]:
    address = urlsplit(getattr(requestor, "base_addresses", {}).get(base) or "https://api.stripe.com")
    account = options.get("stripe_account") or getattr(requestor, "stripe_account", None)
    version = options.get("stripe_version") or getattr(requestor, "stripe_version", None)
    return _typed(
        {
            semconv.SERVER_ADDRESS: (address.hostname, str),
            semconv.SERVER_PORT: (address.port, int),
            semconv.STRIPE_ACCOUNT_ID: (account, str),
            semconv.STRIPE_API_VERSION: (version, str),
        }
    )


def _typed(found: Mapping[str, tuple[Any, Any]]) -> dict[str, Attribute]:
    return {key: value for key, (value, kind) in found.items() if type(value) is kind}


def _resent(call: Call) -> dict[str, Attribute]:
    return {semconv.HTTP_REQUEST_RESEND_COUNT: call.notes[_RESENT]} if _RESENT in call.notes else {}


def _error_body(exc: BaseException) -> Mapping[str, Any]:
    # Never `exc.error`: its `get` raises in 16.x.
    body = getattr(exc, "json_body", None)
    error = body.get("error") if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def _code(exc: BaseException, body: Mapping[str, Any]) -> str | None:
    code = getattr(exc, "code", None) or body.get("code")
    return code if isinstance(code, str) else None


def _class_names(exc: BaseException) -> list[str]:
    return [kind.__name__ for kind in type(exc).__mro__]


def _error_class(exc: BaseException, status: int | None, body: Mapping[str, Any]) -> str:
    names = _class_names(exc)
    if (found := _BY_CODE.get(_code(exc, body) or "")) is not None:
        return found
    if "APIConnectionError" in names:
        cause = type(exc.__cause__).__name__ if exc.__cause__ is not None else ""
        return "timeout" if "Timeout" in cause else "connection"
    if (found := next((_BY_CLASS[name] for name in names if name in _BY_CLASS), None)) is not None:
        return found
    return by_status(status) or ("server" if "APIError" in names else "unknown")


def _message(exc: BaseException, status: int | None) -> str | None:
    # "Invalid response body from API: …" holds the whole body.
    text = getattr(exc, "user_message", None)
    if isinstance(text, str) and text.startswith("Invalid response"):
        return f"Invalid response from the API (HTTP {status})"
    return None


def _targets(name: str, kind: Any, *, is_raw: bool = False) -> Target:
    if is_raw:
        return Target(
            module="stripe._stripe_client",
            name=f"StripeClient.{name}",
            kind=kind,
            describe=describe_raw,
            on_result=on_result,
            on_error=on_error,
            parameters=("method_", "url_"),
            optional=True,
        )
    return Target(
        module="stripe._api_requestor",
        name=f"_APIRequestor.{name}",
        kind=kind,
        describe=describe,
        on_result=on_result,
        on_error=on_error,
        parameters=("method", "url"),
        optional=name != "request",
    )


STRIPE: Final = Instrumentation(
    name="stripe",
    requires="stripe >= 8",
    context="payment",
    system="stripe",
    targets=(
        _targets("request", SYNC),
        _targets("request_async", ASYNC),
        _targets("request_stream", SYNC),  # it ends at its headers
        _targets("request_stream_async", ASYNC),
        _targets("raw_request", SYNC, is_raw=True),
        _targets("raw_request_async", ASYNC, is_raw=True),
        Count(module="stripe._http_client", name="HTTPClient._sleep_time_seconds", add=resent),
        Count(module="stripe._api_requestor", name="_APIRequestor.request_headers", add=keyed),
        *WEBHOOKS,
    ),
    duration="payment.client.operation.duration",
    hides_http=True,
    record_only=frozenset({semconv.PAYMENT_IDEMPOTENCY_KEY}),
    opt_in=frozenset({semconv.PAYMENT_AMOUNT, semconv.PAYMENT_CURRENCY}),
)

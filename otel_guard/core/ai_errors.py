"""What an AI provider's exception says beyond its span: error class, code, request id, when to try again."""

from collections.abc import Mapping
from typing import Any, Final

from otel_guard.core import semconv
from otel_guard.core.error_class import by_chain, by_name, by_status
from otel_guard.core.outcome import Attribute, Outcome

# Codes and types of OpenAI, Azure, Anthropic and Gemini, in small letters.
_BY_CODE: Final = {
    "api_key_invalid": "auth",
    "authentication_error": "auth",
    "invalid_api_key": "auth",
    "permission_error": "auth",
    "permission_denied": "auth",
    "unauthenticated": "auth",
    "billing_error": "quota",
    "billing_hard_limit_reached": "quota",
    "billing_not_active": "quota",
    "contract_spend_limit_reached": "quota",
    "insufficient_quota": "quota",
    "rate_limit_error": "rate_limit",
    "rate_limit_exceeded": "rate_limit",
    "deploymentnotfound": "config",
    "model_not_found": "config",
    "content_filter": "content",
    "content_policy_violation": "content",
    "context_length_exceeded": "content",
    "string_above_max_length": "content",
    "api_error": "server",
    "overloaded_error": "server",
    "server_error": "server",
    "unavailable": "server",
    "deadline_exceeded": "timeout",
    "timeout_error": "timeout",
}
# Where a provider has no code for it: a part of its message, in small letters.
_BY_MESSAGE: Final = (
    ("your credit balance is too low", "quota"),
    ("prompt is too long", "content"),
    ("exceed context limit", "content"),
    ("maximum context length", "content"),
    ("exceeds the maximum number of tokens", "content"),
    ("api key not valid", "auth"),
)
_NO_MODEL: Final = ("model: ", "models/")  # how the 404s of Anthropic and Gemini begin
_MESSAGE_LIMIT: Final = 300
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_STATUSES: Final = range(400, 600)
_REQUEST_IDS: Final = ("x-request-id", "apim-request-id", "request-id")


def outcome(exc: BaseException, error_type: str | None) -> Outcome:
    """How an AI call ended that *exc* left; *error_type* is the span's. Reads attributes alone, and survives any."""
    status, response = _status(exc), _get(exc, "response")
    codes = [code for code in _codes(exc) if code]
    attributes: dict[str, Attribute] = {}
    if status is not None:
        attributes[semconv.HTTP_RESPONSE_STATUS_CODE] = status
    if codes:
        attributes[semconv.ERROR_CODE] = codes[0]
    request_id = _get(exc, "request_id") or _header(response, _REQUEST_IDS)
    if isinstance(request_id, str):
        attributes[semconv.HTTP_RESPONSE_HEADER_REQUEST_ID] = request_id
    if (after := _retry_after(response)) is not None:
        attributes[semconv.HTTP_RESPONSE_HEADER_RETRY_AFTER] = after
    return Outcome("failed", None, _error_class(exc, status, codes, error_type), attributes)


def _error_class(exc: BaseException, status: int | None, codes: list[str], error_type: str | None) -> str | None:
    if (found := next((_BY_CODE[code.lower()] for code in codes if code.lower() in _BY_CODE), None)) is not None:
        return found
    if status == _TOO_MANY and _is_per_day(exc):
        return "quota"
    if status is not None and status < 500:  # noqa: PLR2004 - above, words are about nothing of ours
        text = _message(exc)
        if status == _NOT_FOUND and text.startswith(_NO_MODEL):
            return "config"
        if (found := next((found for words, found in _BY_MESSAGE if words in text), None)) is not None:
            return found
    return by_status(status) or by_name(error_type) or by_chain(exc)


def _status(exc: BaseException) -> int | None:
    for name in ("status_code", "code", "http_status"):
        value = _get(exc, name)
        if isinstance(value, int) and value in _STATUSES:
            return value
    return None


def _codes(exc: BaseException) -> list[str]:
    found = [_get(exc, name) for name in ("code", "error_code", "type", "status")]
    found += [_get(detail, "reason") for detail in _details(exc)]
    return [value for value in found if isinstance(value, str)]


def _details(exc: BaseException) -> list[Any]:
    """Gemini's `error.details`: reasons, quotas, when to try again."""
    error = _get(_get(exc, "details"), "error")
    details = _get(error, "details")
    return list(details) if isinstance(details, list) else []


def _is_per_day(exc: BaseException) -> bool:
    """Gemini says 429 for both: a limit a day is a quota, one a minute is not."""
    violations = [each for detail in _details(exc) for each in _get(detail, "violations") or () if each]
    return any("PerDay" in str(_get(violation, "quotaId")) for violation in violations)


def _message(exc: BaseException) -> str:
    for name in ("api_message", "message"):
        value = _get(exc, name)
        if isinstance(value, str):
            return value[:_MESSAGE_LIMIT].lower()
    return ""


def _retry_after(response: Any) -> str | None:
    """Seconds, or a date."""
    ms = _header(response, ("retry-after-ms",))
    exact = f"{int(ms) / 1000:g}" if ms is not None and ms.isdecimal() else None
    return _header(response, ("retry-after",)) or exact


def _header(response: Any, names: tuple[str, ...]) -> str | None:
    headers = _get(response, "headers")
    return next((value for name in names if isinstance(value := _get(headers, name), str)), None)


def _get(source: Any, name: str) -> Any:
    """A field of anything; None where it is not, or raises."""
    try:
        return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
    except Exception:
        return None

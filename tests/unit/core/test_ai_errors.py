from types import SimpleNamespace
from typing import Any

import pytest

from otel_guard.core import ai_errors, semconv


class Refused(Exception):
    def __init__(self, **fields: Any) -> None:
        super().__init__("words")
        for name, value in fields.items():
            setattr(self, name, value)


class Hostile(Exception):
    @property
    def response(self) -> Any:
        raise RuntimeError("no")

    code = status_code = request_id = response


class ReadTimeout(Exception):
    pass


def per_day(quota: str) -> dict[str, Any]:
    return {"error": {"details": [{"violations": [{"quotaId": quota}]}]}}


@pytest.mark.parametrize(
    ("exc", "error_type", "error_class"),
    [
        (Refused(status_code=429, code="rate_limit_exceeded"), "openai.RateLimitError", "rate_limit"),
        (Refused(status_code=429, code="insufficient_quota"), "openai.RateLimitError", "quota"),
        (Refused(status_code=429), "rate_limit_error", "rate_limit"),
        (Refused(status_code=429, error_code="contract_spend_limit_reached"), "rate_limit_error", "quota"),
        (Refused(status_code=529, type="overloaded_error"), "overloaded_error", "server"),
        (Refused(status_code=200, type="overloaded_error"), "overloaded_error", "server"),
        (Refused(status_code=402, type="billing_error"), "billing_error", "quota"),
        (Refused(code=429, status="RESOURCE_EXHAUSTED"), "429", "rate_limit"),
        (Refused(code=429, details=per_day("RequestsPerDayPerModel")), "429", "quota"),
        (Refused(code=429, details=per_day("RequestsPerMinutePerModel")), "429", "rate_limit"),
        (Refused(code=504, status="DEADLINE_EXCEEDED"), "504", "timeout"),
        (Refused(status_code=404, message="models/gemini-0 is not found"), "404", "config"),
        (Refused(status_code=404, message="See docs/models/overview"), "404", "client"),
        (Refused(status_code=400, api_message="Your credit balance is too low"), "invalid_request_error", "quota"),
        (Refused(status_code=503, message="prompt is too long"), "503", "server"),
        (Refused(), "client_timeout_error", "timeout"),
        (Refused(), "connection_error", "connection"),
        (ReadTimeout(), None, "timeout"),
        (Refused(), None, None),
        (Hostile(), None, None),
        (Hostile(), "429", None),
    ],
)
def test_an_exception_falls_into_its_class(exc: Exception, error_type: str | None, error_class: str | None) -> None:
    assert ai_errors.outcome(exc, error_type).error_class == error_class


def test_the_cause_tells_where_the_exception_does_not() -> None:
    exc = Refused()
    exc.__cause__ = ReadTimeout()

    assert ai_errors.outcome(exc, None).error_class == "timeout"


def test_what_helps_to_ask_the_provider_is_kept() -> None:
    response = SimpleNamespace(headers={"retry-after": "20", "x-request-id": "req_1"})

    found = ai_errors.outcome(Refused(status_code=429, code="insufficient_quota", response=response), None)

    assert found.attributes == {
        semconv.HTTP_RESPONSE_STATUS_CODE: 429,
        semconv.ERROR_CODE: "insufficient_quota",
        semconv.HTTP_RESPONSE_HEADER_REQUEST_ID: "req_1",
        semconv.HTTP_RESPONSE_HEADER_RETRY_AFTER: "20",
    }

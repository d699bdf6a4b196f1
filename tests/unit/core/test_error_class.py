import pytest

from otel_guard.core.error_class import by_chain, error_class
from otel_guard.core.record import Context


@pytest.mark.parametrize(
    ("context", "attributes", "error_type", "found"),
    [
        ("ai", {"http.response.status_code": 429}, "rate_limit_error", "rate_limit"),
        ("ai", {"http.response.status_code": 529}, "overloaded_error", "server"),
        ("ai", {}, "openai.RateLimitError", "rate_limit"),
        ("ai", {"error.code": "insufficient_quota"}, "openai.RateLimitError", "quota"),
        ("ai", {}, "429", "rate_limit"),
        ("ai", {}, "client_timeout_error", "timeout"),
        ("ai", {}, "strange", "unknown"),
        ("api", {"http.status_code": 404}, "404", "client"),
        ("other", {"http.status_code": 404}, "404", None),
    ],
)
def test_a_span_falls_into_its_class(
    context: Context, attributes: dict[str, object], error_type: str, found: str | None
) -> None:
    assert error_class(context, attributes, error_type) == found


def test_a_chain_of_causes_is_followed_and_may_be_a_circle() -> None:
    outer, inner = RuntimeError("outer"), ConnectionRefusedError("inner")
    outer.__cause__ = inner
    lost = RuntimeError("lost")
    lost.__context__ = lost

    assert (by_chain(outer), by_chain(lost)) == ("connection", None)

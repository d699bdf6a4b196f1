import pytest

from otel_guard.alerts.channels._base import answered, later, refused, retry_after
from otel_guard.core.incident import Answer
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.http import NoAnswerError, Response

NOON_MS = 1_795_521_600_000  # Tue, 24 Nov 2026 12:00:00 GMT


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", 86_400.0),
        ("Tue, 24 Nov 2026 12:02:00 GMT", 120.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, NOON_MS) == seconds


@pytest.mark.parametrize(
    ("status", "kind", "detail"),
    [
        (301, "dead", "301 Moved Permanently"),
        (401, "dead", "401 Unauthorized"),
        (408, "retry", "408 Request Timeout"),
        (429, "retry", "429 Too Many Requests"),
        (500, "retry", "500 Internal Server Error"),
        (599, "retry", "599"),
    ],
)
def test_trouble_of_the_server_is_tried_again_and_a_refusal_is_the_end(status: int, kind: str, detail: str) -> None:
    answer = refused(Response(status, {}, b"<html>"), "", NOON_MS)

    assert (answer.kind, answer.status, answer.detail, answer.after_s) == (kind, status, detail, None)


def test_the_wait_that_a_server_names_is_kept() -> None:
    assert later(Response(503, {"retry-after": "7"}, b""), "", NOON_MS).after_s == 7.0


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (NoAnswerError("the server did not answer within 10 s"), "the server did not answer within 10 s"),
        (ValueError("https://hooks.example/secret"), "not sent (ValueError)"),
    ],
)
def test_a_channel_never_raises_and_never_shows_an_address(error: Exception, detail: str) -> None:
    def exchange() -> Answer:
        raise error

    answer = answered(SYSTEM, exchange)

    assert (answer.kind, answer.status, answer.detail) == ("retry", None, detail)

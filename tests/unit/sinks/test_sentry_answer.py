import pytest

from otel_guard.runtime.http import Response
from otel_guard.sinks.sentry_answer import Answer, Later, Refused, Taken, read

NOON_MS = 1_767_268_800_000  # Thu, 01 Jan 2026 12:00:00 GMT
MINUTE_PAST_NOON = "Thu, 01 Jan 2026 12:01:00 GMT"


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {}, Taken()),
        (202, {}, Taken()),
        (200, {"x-sentry-rate-limits": "30:error:organization"}, Taken(30.0)),
        (200, {"x-sentry-rate-limits": "30:transaction;span:organization"}, Taken()),
        (200, {"x-sentry-rate-limits": "20::organization, 40:error;default:key"}, Taken(40.0)),
        (200, {"x-sentry-rate-limits": "nonsense"}, Taken()),
        (429, {}, Later("Sentry answered 429", 60.0)),
        (429, {"retry-after": "7"}, Later("Sentry answered 429", 7.0)),
        (429, {"retry-after": MINUTE_PAST_NOON}, Later("Sentry answered 429", 60.0)),
        (429, {"retry-after": "soon"}, Later("Sentry answered 429", 60.0)),
        (429, {"retry-after": "-5"}, Later("Sentry answered 429", 0.0)),
        (429, {"retry-after": "nan"}, Later("Sentry answered 429", 0.0)),
        (429, {"retry-after": "7", "x-sentry-rate-limits": "90:error:key"}, Later("Sentry answered 429", 90.0)),
        (503, {}, Later("Sentry answered 503")),
        (503, {"retry-after": "3"}, Later("Sentry answered 503", 3.0)),
        (400, {}, Refused(400)),
        (403, {}, Refused(403)),
        (413, {"retry-after": "3"}, Refused(413)),
        (302, {}, Refused(302)),
    ],
)
def test_an_answer_is_taken_refused_or_later(status: int, headers: dict[str, str], expected: Answer) -> None:
    assert read(Response(status, headers, b""), NOON_MS) == expected

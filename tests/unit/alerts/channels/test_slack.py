import pytest

from otel_guard.alerts.channels.slack import read
from otel_guard.runtime.http import Response


@pytest.mark.parametrize(
    ("status", "body", "kind", "detail"),
    [
        (200, b"ok", "ok", "200 ok"),
        (200, b"<html>https://x/secret</html>", "retry", "200 without ok"),
        (204, b"", "dead", "204 No Content"),
        (302, b"", "dead", "302 Found"),
        (400, b"invalid_blocks", "retry", "400 invalid_blocks"),
        (400, b"invalid_token", "dead", "400 invalid_token"),
        (403, b"action_prohibited", "dead", "403 action_prohibited"),
        (403, b"invalid_token", "dead", "403 invalid_token"),
        (404, b"no_service", "dead", "404 no_service"),
        (404, b"Your key: XYZ", "dead", "404 Not Found"),
        (410, b"channel_is_archived", "dead", "410 channel_is_archived"),
        (429, b"", "retry", "429 Too Many Requests"),
        (500, b"rollup_error", "retry", "500 rollup_error"),
        (503, b"\xff\xfe", "retry", "503 Service Unavailable"),
    ],
)
def test_an_answer_is_yes_later_or_the_end(status: int, body: bytes, kind: str, detail: str) -> None:
    answer = read(Response(status, {}, body), 0)

    assert (answer.kind, answer.status, answer.detail) == (kind, status, detail)


def test_a_429_names_the_wait() -> None:
    assert read(Response(429, {"retry-after": "30"}, b""), 0).after_s == 30.0

import json

import pytest
from msgspec.structs import replace

from otel_guard.alerts.channels.webhook import body, read, signature
from otel_guard.runtime.http import Response
from tests.unit.alerts.channels.notices import FIRED, RESOLVED, SLOW, UNLINKED


def test_a_fired_alert_is_the_documented_object() -> None:
    assert json.loads(body(FIRED)) == {
        "schema": "otel_guard.alert.v1",
        "event": "fired",
        "type": "high_error_rate",
        "rule": "error_burst",
        "id": "01930000-0000-7000-8000-000000c7e2ab",
        "dedup_key": "error_burst:production:web",
        "severity": "high",
        "context": None,
        "message": "37 errors in last 5 minutes",
        "service": "web",
        "environment": "production",
        "release": "a1b2c3d",
        "value": 37,
        "threshold": 10,
        "timestamp": "2026-11-23T21:30:02Z",
        "started_at": "2026-11-23T21:30:00Z",
        "resolved_at": None,
        "url": "https://ops.example/alerts/c7e2ab",
        "runbook_url": "https://ops.example/alerts/c7e2ab#runbook",
        "queries": [],
        "labels": {},
    }


@pytest.mark.parametrize("notice", [FIRED, RESOLVED, SLOW, UNLINKED, replace(FIRED, event="held", held=12)])
def test_every_key_is_always_there(notice: object) -> None:
    assert list(json.loads(body(notice))) == list(json.loads(body(FIRED)))  # type: ignore[arg-type]


def test_what_is_not_known_is_null() -> None:
    plain = json.loads(body(UNLINKED))

    assert (plain["url"], plain["runbook_url"], plain["resolved_at"]) == (None, None, None)
    assert json.loads(body(RESOLVED))["resolved_at"] == "2026-11-23T21:42:03Z"
    assert json.loads(body(SLOW))["queries"][0]["table"] == "orders"


def test_a_count_of_held_messages_is_the_message() -> None:
    assert json.loads(body(replace(FIRED, event="held", held=12)))["message"] == "12 messages held back"


def test_a_number_beyond_all_integers_stays_a_number() -> None:
    huge = replace(FIRED, incident=replace(FIRED.incident, value=1e300))

    assert json.loads(body(huge))["value"] == 1e300


def test_the_signature_is_that_of_time_dot_body() -> None:
    # python -c "import hmac; print(hmac.new(b'key', b'1700000000.{}', 'sha256').hexdigest())"
    assert signature("key", 1_700_000_000, b"{}") == (
        "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
    )


@pytest.mark.parametrize(
    ("status", "said", "kind", "detail"),
    [
        (200, b'{"ok":true}', "ok", "200 ok"),
        (200, b'{"ok":false}', "unconfirmed", "200 OK, unconfirmed"),
        (200, b"Accepted", "unconfirmed", "200 Accepted, unconfirmed"),
        (202, b"", "unconfirmed", "202 Accepted, unconfirmed"),
        (200, b"\xff", "unconfirmed", "200 OK, unconfirmed"),
        (400, b"Queue is full.", "retry", "400 Queue is full"),
        (400, b"bad https://x", "dead", "400 Bad Request"),
        (401, b"", "dead", "401 Unauthorized"),
        (410, b"", "dead", "410 Gone"),
        (429, b"", "retry", "429 Too Many Requests"),
        (502, b"", "retry", "502 Bad Gateway"),
    ],
)
def test_only_a_scenario_that_says_so_has_confirmed(status: int, said: bytes, kind: str, detail: str) -> None:
    answer = read(Response(status, {}, said), 0)

    assert (answer.kind, answer.status, answer.detail) == (kind, status, detail)


def test_a_full_queue_may_name_the_wait() -> None:
    assert read(Response(400, {"retry-after": "20"}, b"Queue is full"), 0).after_s == 20.0

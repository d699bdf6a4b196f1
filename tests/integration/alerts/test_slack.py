"""Against the stand-in that refuses what Slack's documented limits refuse."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from otel_guard.alerts.channels import slack as channel
from otel_guard.alerts.channels.making import channel as make_channel
from otel_guard.core.incident import Answer
from otel_guard.demo.standins import slack as standin
from otel_guard.runtime.clock import SYSTEM
from otel_guard.settings.alerting import ChannelConfig
from tests.unit.alerts.channels.notices import FIRED, RESOLVED, SLOW


@pytest.fixture
def server() -> Iterator[standin.Slack]:
    found = standin.start()
    yield found
    found.stop()


def send(server: standin.Slack, *notices: Any) -> Answer:
    config = ChannelConfig(name="ops", type="slack", url=server.url)
    return make_channel(config).send(notices or (FIRED,), "key")


def facts(answer: Answer) -> tuple[str, int | None, str, float | None]:
    return answer.kind, answer.status, answer.detail, answer.after_s


def test_a_message_arrives_with_its_time(server: standin.Slack) -> None:
    before = SYSTEM.now_ms()

    assert facts(send(server, FIRED, RESOLVED, SLOW)) == ("ok", 200, "200 ok", None)
    (message,) = server.messages
    assert before <= message.at_ms <= SYSTEM.now_ms()
    assert (message.text, message.colour) == (
        "[3 alerts] 2 firing, 1 resolved, worst high: error_burst, slow_queries",
        "#d72b3f",
    )
    assert "error_burst web/production" in message.shown


@pytest.mark.parametrize(
    ("status", "word", "after", "expected"),
    [
        (429, "", 3, ("retry", 429, "429 Too Many Requests", 3.0)),
        (500, "", None, ("retry", 500, "500 Internal Server Error", None)),
        (403, "invalid_token", None, ("dead", 403, "403 invalid_token", None)),
        (404, "no_service", None, ("dead", 404, "404 no_service", None)),
        (410, "channel_is_archived", None, ("dead", 410, "410 channel_is_archived", None)),
    ],
)
def test_its_refusals_are_understood(
    server: standin.Slack, status: int, word: str, after: int | None, expected: tuple[object, ...]
) -> None:
    server.refuse(status, word, after)

    assert facts(send(server)) == expected
    assert len(server.refused) == 1


def test_refused_blocks_are_sent_once_more_as_text(server: standin.Slack) -> None:
    server.refuse_blocks()

    assert send(server).kind == "ok"
    assert server.refused == ["invalid_blocks"]
    assert [message.blocks for message in server.messages] == [[]]
    assert server.messages[0].text.startswith("[FIRING high] error_burst")


def test_a_message_refused_in_both_forms_is_not_the_channels_end(server: standin.Slack) -> None:
    server.refuse(400, "invalid_payload")

    assert facts(send(server)) == ("retry", 400, "400 invalid_payload", None)
    assert server.refused == ["invalid_payload"] * 2


def test_a_hanging_slack_is_left_at_the_deadline(server: standin.Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "DEADLINE_S", 0.5)
    server.hang()
    began = time.monotonic()

    answer = send(server)

    assert (answer.kind, answer.status) == ("retry", None)
    assert time.monotonic() - began < 3
    assert answer.took_ms >= 400


def test_a_slack_that_is_not_there_is_tried_again_and_not_named(server: standin.Slack) -> None:
    server.stop()

    answer = send(server)

    assert answer.kind == "retry"
    assert "did not answer" in answer.detail
    assert str(server.port) not in answer.detail


def block(text: str = "x", kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


def header(text: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": "header", "text": {"type": kind, "text": text}}


def button(text: str = "Open", url: str = "https://h/") -> dict[str, Any]:
    shown = {"type": "plain_text", "text": text}
    return {"type": "actions", "elements": [{"type": "button", "text": shown, "url": url}]}


def fields(*texts: str) -> dict[str, Any]:
    return {"type": "section", "fields": [{"type": "mrkdwn", "text": text} for text in texts]}


@pytest.mark.parametrize(
    ("blocks", "why"),
    [
        ([block()] * 50, None),
        ([block()] * 51, "invalid_blocks"),
        ([header("x" * 150)], None),
        ([header("x" * 151)], "invalid_blocks"),
        ([header("x", "mrkdwn")], "invalid_blocks"),
        ([header("")], "invalid_blocks"),
        ([block("x" * 3000)], None),
        ([block("x" * 3001)], "invalid_blocks"),
        ([block("🔥" * 1501)], "invalid_blocks"),
        ([fields(*["x" * 900] * 10)], None),
        ([fields(*["x"] * 11)], "invalid_blocks"),
        ([fields("x" * 2001)], "invalid_blocks"),
        ([fields()], "invalid_blocks"),
        ([button("x" * 75, "https://" + "x" * 2992)], None),
        ([button("x" * 76)], "invalid_blocks"),
        ([button(url="https://" + "x" * 2993)], "invalid_blocks"),
        ([button(url="ops")], "invalid_blocks"),
        ([{"type": "chart"}], "invalid_blocks"),
        (["x"], "invalid_blocks"),
        ([block("x" * 2500)] * 4, "invalid_payload"),
    ],
)
def test_the_stand_in_keeps_slacks_limits(blocks: list[Any], why: str | None) -> None:
    assert standin.fault({"text": "t", "attachments": [{"blocks": blocks}]}) == why
    assert standin.fault({"text": "t", "blocks": blocks}) == why


@pytest.mark.parametrize(
    ("payload", "why"),
    [({}, "invalid_payload"), ({"blocks": [block()]}, "no_text"), ({"text": " "}, "no_text"), ({"text": "x"}, None)],
)
def test_the_stand_in_wants_a_text(payload: dict[str, Any], why: str | None) -> None:
    assert standin.fault(payload) == why


def test_an_emoji_in_every_place_is_taken(server: standin.Slack) -> None:
    odd = "🔥<&>" * 2000
    notice = replace(FIRED, incident=replace(FIRED.incident, message=odd, service=odd), top=(odd,) * 9)

    assert send(server, notice).kind == "ok"
    assert server.refused == []

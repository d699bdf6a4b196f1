"""Against the stand-in that answers as a custom webhook of Make.com."""

import time
from collections.abc import Iterator

import pytest

from otel_guard.alerts.channels import webhook
from otel_guard.alerts.channels.making import channel as make_channel
from otel_guard.core.incident import Answer
from otel_guard.demo.standins import make as standin
from otel_guard.settings.alerting import ChannelConfig
from tests.unit.alerts.channels.notices import FIRED, RESOLVED

SECRET = "sign" + "ing"


@pytest.fixture
def server() -> Iterator[standin.Make]:
    found = standin.start(SECRET)
    yield found
    found.stop()


def send(server: standin.Make, *, secret: str | None = SECRET, api_key: str | None = None) -> Answer:
    config = ChannelConfig(name="make", type="webhook", url=server.url, secret=secret, api_key=api_key)
    return make_channel(config).send([FIRED], "01930000:fired:1:make")


def test_a_notice_is_signed_and_carries_its_key(server: standin.Make) -> None:
    answer = send(server, api_key="key")

    (delivery,) = server.deliveries
    assert (answer.kind, answer.detail) == ("unconfirmed", "200 Accepted, unconfirmed")
    assert (delivery.key, delivery.api_key, delivery.is_signed) == ("01930000:fired:1:make", "key", True)
    assert delivery.body["message"] == "37 errors in last 5 minutes"


def test_a_scenario_that_answers_confirms(server: standin.Make) -> None:
    server.confirms = True

    assert send(server).kind == "ok"


@pytest.mark.parametrize("secret", [None, "other"])
def test_a_receiver_with_the_secret_refuses_what_is_not_signed_with_it(
    server: standin.Make, secret: str | None
) -> None:
    answer = send(server, secret=secret)

    assert (answer.kind, answer.status, server.deliveries, server.refused) == ("dead", 401, [], 1)


def test_an_old_signature_is_refused() -> None:
    signed = {standin.SIGNATURE: webhook.signature(SECRET, 1000, b"{}")}

    assert standin.is_signed(SECRET, signed, b"{}", 1300)
    assert not standin.is_signed(SECRET, signed, b"{}", 1301)
    assert not standin.is_signed(SECRET, signed, b"{ }", 1000)
    assert not standin.is_signed(SECRET, {}, b"{}", 1000)


@pytest.mark.parametrize(
    ("status", "words", "after", "expected"),
    [
        (400, "Queue is full", None, ("retry", "400 Queue is full", None)),
        (429, "", 5, ("retry", "429 Too Many Requests", 5.0)),
        (500, "", None, ("retry", "500 Internal Server Error", None)),
        (410, "", None, ("dead", "410 Gone", None)),
    ],
)
def test_its_refusals_are_understood(
    server: standin.Make, status: int, words: str, after: int | None, expected: tuple[object, ...]
) -> None:
    server.refuse(status, words, after)

    answer = send(server)

    assert (answer.kind, answer.detail, answer.after_s) == expected
    assert (server.deliveries, server.refused) == ([], 1)


def test_a_hanging_server_is_left_at_the_deadline(server: standin.Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "DEADLINE_S", 0.5)
    server.hang()
    began = time.monotonic()

    assert send(server).kind == "retry"
    assert time.monotonic() - began < 3


def test_several_are_sent_one_by_one_under_a_key_each(server: standin.Make) -> None:
    config = ChannelConfig(name="make", type="webhook", url=server.url, secret=SECRET)
    channel = make_channel(config)

    assert channel.groups is False
    channel.send([FIRED, RESOLVED], "k")
    assert [(each.key, each.body["event"]) for each in server.deliveries] == [("k", "fired"), ("k:1", "resolved")]

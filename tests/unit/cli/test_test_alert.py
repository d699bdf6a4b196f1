import json
from collections.abc import Iterator

import pytest

from otel_guard.cli import execute
from otel_guard.cli.test_alert import cure
from otel_guard.core.incident import Answer
from otel_guard.demo.standins import make, slack


@pytest.fixture
def ops(monkeypatch: pytest.MonkeyPatch) -> Iterator[slack.Slack]:
    found = slack.start()
    monkeypatch.setenv("SLACK_WEBHOOK_URL", found.url)
    monkeypatch.delenv("MAKE_WEBHOOK_URL", raising=False)
    monkeypatch.delenv("OTEL_GUARD_DSN", raising=False)
    yield found
    found.stop()


@pytest.fixture
def scenario(ops: slack.Slack, monkeypatch: pytest.MonkeyPatch) -> Iterator[make.Make]:
    assert ops.url  # it is there too
    found = make.start("secret")
    monkeypatch.setenv("MAKE_WEBHOOK_URL", found.url)
    monkeypatch.setenv("MAKE_SIGNING_SECRET", "secret")
    yield found
    found.stop()


def test_one_channel_is_a_line(capsys: pytest.CaptureFixture[str], ops: slack.Slack) -> None:
    assert execute(["test-alert"]) == 0

    out, err = capsys.readouterr()
    assert (out.split()[:2], out.split()[3:], err) == (["slack", "ok"], ["ms"], "")
    assert ops.messages[0].text.startswith("[TEST low] test ")
    assert ops.messages[0].text.endswith("nothing is wrong")


def test_all_channels_are_a_line_and_what_is_unconfirmed_has_its_cure(
    capsys: pytest.CaptureFixture[str], scenario: make.Make
) -> None:
    assert execute(["test-alert", "--all"]) == 0

    out = " ".join(capsys.readouterr().out.split())
    assert " ms · make unconfirmed make: accepted, unconfirmed -> end the scenario with " in out
    assert scenario.deliveries[0].body["event"] == "test"


def test_a_channel_can_be_named(capsys: pytest.CaptureFixture[str], scenario: make.Make, ops: slack.Slack) -> None:
    scenario.confirms = True

    assert execute(["test-alert", "make"]) == 0
    assert capsys.readouterr().out.startswith("make ok ")
    assert ops.messages == []


def test_a_refusal_is_exit_1_with_its_cure(
    capsys: pytest.CaptureFixture[str], ops: slack.Slack, scenario: make.Make
) -> None:
    ops.refuse(404, "no_service")
    scenario.fill_queue()

    assert execute(["test-alert"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "slack failed · make failed",
        "slack: 404 no_service -> make a new webhook",
        "make: 400 Queue is full -> switch the scenario on and empty its queue",
    ]


def test_json_has_a_row_a_channel(capsys: pytest.CaptureFixture[str], ops: slack.Slack) -> None:
    ops.refuse(410, "channel_is_archived")

    assert execute(["test-alert", "--json"]) == 1
    body = json.loads(capsys.readouterr().out)
    (row,) = body["channels"]
    assert body["schema"] == "otel_guard.test_alert.v1"
    assert row.pop("took_ms") > 0
    assert row == {
        "name": "slack",
        "type": "slack",
        "status": "failed",
        "http_status": 410,
        "detail": "410 channel_is_archived",
        "fix": "unarchive the channel, or make a webhook for another",
    }


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["slak"], "there is no channel 'slak': name one of slack"),
        ([], "no channel is configured: set SLACK_WEBHOOK_URL or MAKE_WEBHOOK_URL, or write [channel.NAME] into"),
    ],
)
def test_no_such_channel_is_exit_2(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    ops: slack.Slack,
    arguments: list[str],
    line: str,
) -> None:
    if not arguments:
        monkeypatch.delenv("SLACK_WEBHOOK_URL")

    assert execute(["test-alert", *arguments]) == 2
    assert line in capsys.readouterr().err
    assert ops.messages == []


@pytest.mark.parametrize(
    ("status", "detail", "do"),
    [
        (None, "NewConnectionError: the server did not answer", "see that this machine reaches the address"),
        (200, "200 without ok", "write the address of a Slack webhook"),
        (403, "403 invalid_token", "make a new webhook"),
        (403, "403 Forbidden", "check the secret or the API key"),
        (429, "429 Too Many Requests", "it has had too many"),
        (503, "503 Service Unavailable", "its server is in trouble"),
        (418, "418", "see that the address is that of a webhook"),
    ],
)
def test_every_answer_has_a_cure(status: int | None, detail: str, do: str) -> None:
    assert cure(Answer(kind="dead", status=status, detail=detail)).startswith(do)

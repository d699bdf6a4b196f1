import json
from pathlib import Path

import pytest

from otel_guard.cli import execute

GOOD = """
[rule.error_burst]
above = 25
[rule.unshipped]
source = "sql"
query = "select count(*) from orders"
above = 0
[rule.no_payment]
source = "calls"
where = { context = "payment", operation = "create payment_intent" }
below = 1
window = "2h"
hours = "08:00-22:00"
[rule.checkout_slow]
source = "calls"
where = { route = "/checkout" }
measure = "p95_ms"
above = 1500
window = "10m"
[channel]
ops = { type = "slack", url_env = "SLACK_WEBHOOK_URL" }
make = { type = "webhook", url_env = "MAKE_WEBHOOK_URL" }
"""
BAD = GOOD.replace("above = 1500", "abov = 1500").replace('"10m"', '"10 minutes"')
HIDDEN = "https://hook.example.com/" + "tok" + "en"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OTEL_GUARD_CONFIG", "OTEL_GUARD_STRICT", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLACK_WEBHOOK_URL", HIDDEN)
    monkeypatch.setenv("MAKE_WEBHOOK_URL", HIDDEN)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "otel_guard.toml"


def test_a_good_file_is_said_in_a_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place.write_text(GOOD)

    assert execute(["rules", "check"]) == 0
    assert capsys.readouterr() == ("ok: 26 rules, 2 channels\n", "")


def test_all_problems_are_said_at_once_and_the_exit_code_is_2(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place.write_text(BAD)

    assert execute(["rules", "check"]) == 2
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines() == [
        'otel_guard.toml  rule.checkout_slow.abov: unknown key; did you mean "above"?',
        'otel_guard.toml  rule.checkout_slow.window: "10 minutes" is not a duration; write 10m, 90s or 1h',
        "2 problems. 1 rule is off, 25 rules run.",
    ]


def test_strict_does_not_stop_at_the_first_problem(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_GUARD_STRICT", "1")
    place.write_text("colour = 3\n" + BAD)

    assert execute(["rules", "check"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "otel_guard.toml  colour is no setting; it is ignored"
    assert lines[-1] == "3 problems. 1 rule is off, 25 rules run."


def test_a_variable_that_is_not_set_is_said_and_is_no_fault_of_the_file(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MAKE_WEBHOOK_URL")
    place.write_text(GOOD + "[check.payment]\nkey_env = 'STRIPE_KEY'\n")

    unset = "is not set; set it in the monitor's environment"

    assert execute(["rules", "check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"otel_guard.toml  channel.make.url_env: MAKE_WEBHOOK_URL {unset}, the channel is off till then",
        f"otel_guard.toml  check.payment.key_env: STRIPE_KEY {unset}, no probe till then",
        "ok: 26 rules, 2 channels",
    ]


@pytest.mark.parametrize(
    ("toml", "lines"),
    [
        ("[rule.x", ["otel_guard.toml  is not TOML: ", "1 problem. 23 rules run."]),
        ("[check.paymant]\nx = 1", ["otel_guard.toml  check.paymant: unknown check; ", "1 problem. 23 rules run."]),
        ("[rule.backlog]\nenabled = false", ["ok: 22 rules, 2 channels (1 rule is off)"]),
        ("[rule.backlog]\nenabled = 1", ["otel_guard.toml  rule.backlog.enabled: ", "1 problem. 23 rules run."]),
    ],
)
def test_whatever_is_wrong_in_the_file_counts(
    place: Path, capsys: pytest.CaptureFixture[str], toml: str, lines: list[str]
) -> None:
    place.write_text(toml)

    assert execute(["rules", "check"]) == (2 if len(lines) > 1 else 0)
    said = capsys.readouterr().out.splitlines()
    assert len(said) == len(lines)
    assert all(line.startswith(start) for line, start in zip(said, lines, strict=True))


def test_a_bad_address_is_the_environments_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK_URL", HIDDEN.removeprefix("https://"))

    assert execute(["rules", "check"]) == 2
    out = capsys.readouterr().out
    assert out.startswith("environment  SLACK_WEBHOOK_URL: not an http or https address; ")
    assert "example" not in out


def test_another_file_is_named_as_it_was_given(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_GUARD_CONFIG", "ops/guard.toml")

    assert execute(["rules", "check"]) == 2
    assert capsys.readouterr().out.startswith("ops/guard.toml  OTEL_GUARD_CONFIG names ops/guard.toml, which is not")
    (place.parent / "ops").mkdir()
    (place.parent / "ops" / "guard.toml").write_text("[rule.backlog]\nabove = 1")
    assert execute(["rules", "check"]) == 2
    assert capsys.readouterr().out.startswith("ops/guard.toml  rule.backlog.above: backlog watches a state; ")


def test_without_any_channel_it_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SLACK_WEBHOOK_URL")
    monkeypatch.delenv("MAKE_WEBHOOK_URL")

    assert execute(["rules", "check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok: 23 rules, 0 channels",
        "no channel: set SLACK_WEBHOOK_URL, or write [channel.NAME]",
    ]


@pytest.mark.parametrize(("columns", "most"), [(80, 80), (140, 140)])
def test_the_table_fits_the_terminal(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int, most: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    place.write_text(BAD)

    assert execute(["rules"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= most
    assert "…" not in out
    for words in ("> 25 errors in 5 min", "≤ 12.5, held 5 min", "no limit given", "it has problems", "own"):
        assert words in out
    assert out.endswith(
        "25 rules, 2 of them your own · docs/rules.md says how to change them\n"
        "2 problems: otel-guard rules check shows what to do\n"
    )


def test_json_has_every_rule_and_no_secret(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place.write_text(BAD)

    assert execute(["rules", "check", "--json"]) == 2
    out = capsys.readouterr().out
    body = json.loads(out)
    assert body["schema"] == "otel_guard.rules.v1"
    assert len(body["rules"]) == 25
    assert body["off"] == ["checkout_slow"]
    assert body["channels"] == [
        {"name": "ops", "type": "slack", "is_on": True},
        {"name": "make", "type": "webhook", "is_on": True},
    ]
    assert [problem["file"] for problem in body["problems"]] == ["otel_guard.toml"] * 2
    assert HIDDEN not in out


def test_another_word_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["rules", "chek"]) == 2
    assert capsys.readouterr().err == (
        "otel-guard: otel-guard rules has no 'chek': write `otel-guard rules` or `otel-guard rules check`\n"
    )

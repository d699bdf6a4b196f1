import io
import tomllib

import pytest
from rich.console import Console
from rich.pretty import Pretty

from otel_guard.settings.alerting import Alerting, ChannelConfig, Escalation, alerting
from otel_guard.settings.tree import Settings

SLACK = "https://hooks.example.com/services/" + "T0/B0/token"
MAKE = "https://hook.example.com/" + "abc123"
SECRET = "sign" + "ing"
ENVIRON = {
    "SLACK_WEBHOOK_URL": SLACK,
    "MAKE_WEBHOOK_URL": MAKE,
    "MAKE_SIGNING_SECRET": SECRET,
    "BAD": "hooks.example.com/" + SECRET,
}
TWO = """
[channel]
ops = { type = "slack", url_env = "SLACK_WEBHOOK_URL" }
make = { type = "webhook", url_env = "MAKE_WEBHOOK_URL", secret_env = "MAKE_SIGNING_SECRET" }
"""
OFF = "the channel is off till then"


def read(toml: str, environ: dict[str, str] | None = None) -> Alerting:
    return alerting(Settings(tables=tomllib.loads(toml)), ENVIRON if environ is None else environ)


def test_the_page_is_read_as_written() -> None:
    found = read(
        TWO + "[escalation.critical]\nsteps = [{ after = '0s', to = ['ops', 'make'] }, { after = '10m', to = ['ops'] }]"
    )

    assert found == Alerting(
        channels=(
            ChannelConfig(name="ops", type="slack", url=SLACK),
            ChannelConfig(name="make", type="webhook", url=MAKE, secret=SECRET),
        ),
        escalation={
            "critical": (Escalation(0, ("ops", "make")), Escalation(600, ("ops",))),
            "high": (Escalation(0, ("ops", "make")),),
            "medium": (Escalation(0, ("ops", "make")),),
            "low": (),
        },
        problems=(),
    )


def test_without_a_table_the_variables_make_the_channels() -> None:
    found = read("")

    assert found.channels == (
        ChannelConfig(name="slack", type="slack", url=SLACK),
        ChannelConfig(name="make", type="webhook", url=MAKE, secret=SECRET),
    )
    both = ("slack", "make")
    assert found.escalation == {
        "critical": (Escalation(0, both), Escalation(600, both), Escalation(1800, both)),
        "high": (Escalation(0, both),),
        "medium": (Escalation(0, both),),
        "low": (),
    }
    assert found.problems == ()


def test_with_a_table_the_variables_make_none() -> None:
    found = read('[channel.ops]\ntype = "slack"\nurl_env = "SLACK_WEBHOOK_URL"')

    assert [channel.name for channel in found.channels] == ["ops"]


def test_with_neither_there_is_no_channel_and_no_problem() -> None:
    assert read("", {"SLACK_WEBHOOK_URL": " "}) == Alerting(
        channels=(), escalation={"critical": (), "high": (), "medium": (), "low": ()}, problems=()
    )


def test_a_variable_that_holds_no_address_is_said_and_not_shown() -> None:
    found = read("", {"SLACK_WEBHOOK_URL": "hooks.example.com/" + SECRET})

    assert found.channels == ()
    assert found.problems == (f"SLACK_WEBHOOK_URL: not an http or https address; write https://… into it, {OFF}",)


@pytest.mark.parametrize(
    ("toml", "problem", "is_on"),
    [
        ("url_env = 'SLACK_WEBHOOK_URL'", f"type: missing; write slack or webhook, {OFF}", False),
        (
            "type = 'slak'\nurl_env = 'SLACK_WEBHOOK_URL'",
            'type: "slak" is no channel type; did you mean "slack"?',
            False,
        ),
        (
            "type = 'email'\nurl_env = 'SLACK_WEBHOOK_URL'",
            'type: "email" is no channel type; write slack or webhook',
            False,
        ),
        (
            "type = 'slack'",
            f"url_env: missing; write the name of the variable that holds the address, {OFF}",
            False,
        ),
        (
            "type = 'slack'\nurl_env = 'OPS_URL'",
            f"url_env: OPS_URL is not set; set it in the monitor's environment, {OFF}",
            False,
        ),
        (
            f"type = 'slack'\nurl_env = '{SLACK}'",
            f"url_env: not the name of a variable; put the secret into one and write its name, {OFF}",
            False,
        ),
        (
            f"type = 'slack'\nurl = '{SLACK}'",
            'url: a secret stands in no file; write url_env = "SLACK_WEBHOOK_URL"',
            False,
        ),
        (
            "type = 'slack'\nurl_env = 'BAD'",
            f"url_env: the variable holds no http or https address; write https://… into it, {OFF}",
            False,
        ),
        (
            "type = 'slack'\nurl_env = 'SLACK_WEBHOOK_URL'\nsecret_env = 'MAKE_SIGNING_SECRET'",
            "secret_env: Slack takes none; leave it out",
            True,
        ),
        (
            "type = 'webhook'\nurl_env = 'MAKE_WEBHOOK_URL'\nsecret_env = 'NO_SECRET'",
            "secret_env: NO_SECRET is not set; set it in the monitor's environment, messages go unsigned",
            True,
        ),
        (
            "type = 'webhook'\nurl_env = 'MAKE_WEBHOOK_URL'\napi_key = 'x'",
            'api_key: unknown key; did you mean "api_key_env"?',
            True,
        ),
    ],
)
def test_a_bad_channel_says_why_and_sends_if_it_can(toml: str, problem: str, is_on: bool) -> None:
    found = read(f"[channel.ops]\n{toml}")

    assert found.problems == (f"channel.ops.{problem}",)
    assert [channel.name for channel in found.channels] == ["ops"] * is_on
    assert found.off == (() if is_on else ("ops",))
    assert bool(found.unset) == ("is not set" in problem)


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("[escalation.crit]\nsteps = []", 'escalation.crit: not a severity; did you mean "critical"?'),
        (
            "[escalation.critical]",
            'escalation.critical.steps: missing; write steps = [{ after = "0s", to = ["slack"] }]',
        ),
        (
            "[escalation.critical]\nsteps = ['ops']",
            'escalation.critical.steps: not an array of tables; write steps = [{ after = "0s", to = ["slack"] }]',
        ),
        (
            "[escalation.critical]\nsteps = [{ after = '0s', to = ['opps'] }]",
            'escalation.critical.steps[0].to: no channel "opps"; did you mean "ops"?',
        ),
        (
            "[escalation.critical]\nsteps = [{ after = '0s', to = ['pager'] }]",
            'escalation.critical.steps[0].to: no channel "pager"; write [channel.pager]',
        ),
        (
            "[escalation.critical]\nsteps = [{ after = '0s', to = 'ops' }]",
            'escalation.critical.steps[0].to: not a list of channels; write to = ["slack"]',
        ),
        (
            "[escalation.critical]\nsteps = [{ after = 10, to = ['ops'] }]",
            "escalation.critical.steps[0].after: 10 is not a duration; write 10m, 90s or 1h",
        ),
        (
            "[escalation.critical]\nsteps = [{ to = ['ops'] }, { after = '0s', to = ['ops'] }]",
            "escalation.critical.steps: a step is not after the one before; write them in the order of after",
        ),
        (
            "[escalation]\ncritical = 3",
            "escalation.critical: not a table; write [escalation.NAME] and below it the keys",
        ),
    ],
)
def test_a_bad_escalation_is_the_default(toml: str, problem: str) -> None:
    found = read(TWO + toml)

    assert found.problems == (problem,)
    assert [step.after_s for step in found.escalation["critical"]] == [0, 600, 1800]


def test_an_escalation_may_name_a_channel_that_a_variable_makes() -> None:
    steps = "[escalation.high]\nsteps = [{ after = '0s', to = ['slack'] }]"

    assert read(steps).escalation["high"] == (Escalation(0, ("slack",)),)
    assert read(steps, {"MAKE_WEBHOOK_URL": MAKE}).problems == (
        'escalation.high.steps[0].to: no channel "slack"; set SLACK_WEBHOOK_URL, or write [channel.slack]',
    )


def test_no_steps_are_nobody() -> None:
    assert read(TWO + "[escalation.medium]\nsteps = []").escalation["medium"] == ()


def test_where_no_channel_of_an_escalation_is_on_all_others_are_told() -> None:
    found = read(TWO + "[escalation.high]\nsteps = [{ after = '5m', to = ['ops'] }]", {"MAKE_WEBHOOK_URL": MAKE})

    assert found.escalation["high"] == (Escalation(0, ("make",)),)
    assert found.problems[-1] == (
        "escalation.high.steps: none of its channels is on; mend its channels; all others are told till then"
    )
    assert found.unset == found.problems


def test_no_secret_is_ever_shown() -> None:
    found = read(TWO)
    out = io.StringIO()
    Console(file=out).print(Pretty(found), found.channels[1])
    shown = f"{found!r} {found.channels[1]} {found.channels[0]!r} {out.getvalue()}"

    assert "name='make'" in shown
    assert not any(secret in shown for secret in (SLACK, MAKE, SECRET, "example.com"))

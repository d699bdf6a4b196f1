from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from otel_guard.alerts.channels._slack_message import headline, message, plain
from otel_guard.core.incident import Notice
from otel_guard.demo.standins.slack import fault, size, texts
from tests.unit.alerts.channels.notices import BURST, FIRED, RESOLVED, SLOW, UNLINKED


def shown(payload: dict[str, Any]) -> str:
    return "\n".join((payload["text"], *texts(payload["attachments"])))


def test_a_fired_alert_is_the_documented_message() -> None:
    assert message([FIRED]) == {
        "text": "[FIRING high] error_burst web/production: 37 errors in last 5 minutes (limit 10)",
        "attachments": [
            {
                "color": "#d72b3f",
                "blocks": [
                    {"type": "header", "text": {"type": "plain_text", "text": "FIRING high: error burst, web"}},
                    {
                        "type": "section",
                        "fields": [
                            {"type": "mrkdwn", "text": "*Value*\n37 (limit 10)"},
                            {"type": "mrkdwn", "text": "*Since*\n<!date^1795469400^{time_secs}|21:30:00 UTC>"},
                        ],
                    },
                    {
                        "type": "section",
                        "text": {
                            "type": "mrkdwn",
                            "text": "*Top*\n`OperationalError` x31 shop/orders.py:88\n"
                            "*Runbook*\n1. Deployed 6 min before: roll back?",
                        },
                    },
                    {
                        "type": "actions",
                        "elements": [
                            {
                                "type": "button",
                                "text": {"type": "plain_text", "text": "Open"},
                                "url": "https://ops.example/alerts/c7e2ab",
                            },
                            {
                                "type": "button",
                                "text": {"type": "plain_text", "text": "Acknowledge"},
                                "url": "https://ops.example/ack/c7e2ab?sig=1",
                            },
                        ],
                    },
                ],
            }
        ],
    }


def test_without_links_the_command_stands_in_the_message() -> None:
    blocks = message([UNLINKED])["attachments"][0]["blocks"]

    assert "actions" not in {block["type"] for block in blocks}
    assert blocks[-1]["text"]["text"] == "*Acknowledge*\n`otel-guard ack c7e2ab`"


def test_a_resolved_alert_is_green_says_how_long_it_lasted_and_asks_nobody() -> None:
    payload = message([RESOLVED])

    assert payload["text"] == (
        "[RESOLVED high] error_burst web/production: 37 errors in last 5 minutes (limit 10), lasted 12 min"
    )
    assert payload["attachments"][0]["color"] == "#2eb67d"
    assert "*Lasted*\n12 min" in shown(payload)
    assert "Acknowledge" not in shown(payload)


def test_slow_queries_are_named_with_duration_table_and_place() -> None:
    assert "*Queries*\n`SELECT * FROM orders` 1840 ms orders shop/orders.py:12" in shown(message([SLOW]))


@pytest.mark.parametrize(
    ("notice", "line"),
    [
        (
            replace(FIRED, event="escalated"),
            "[ESCALATED high] error_burst web/production: 37 errors in last 5 minutes ",
        ),
        (replace(FIRED, event="raised"), "[RAISED high] error_burst web/production: 37 errors in last 5 minutes "),
        (
            replace(FIRED, event="held", held=37),
            "[HELD] 37 messages held back, too many in 10 min: see `otel-guard alerts`",
        ),
        (replace(FIRED, event="held", held=1), "[HELD] 1 message held back"),
        (
            replace(FIRED, incident=replace(BURST, rule=None, type="stock_sync", service=None, threshold=None)),
            "[FIRING high] stock_sync production: 37 errors in last 5 minutes",
        ),
        (
            replace(FIRED, incident=replace(BURST, message="two\nlines")),
            "[FIRING high] error_burst web/production: two lines",
        ),
    ],
)
def test_the_headline_says_what_happened(notice: Notice, line: str) -> None:
    assert headline(notice).startswith(line)


def test_a_yesterday_is_shown_with_its_date() -> None:
    old = replace(FIRED, incident=replace(BURST, impact_started_at=BURST.impact_started_at.replace(day=20)))  # type: ignore[union-attr]

    assert "{date_short} {time_secs}|2026-11-20 21:30:00 UTC>" in shown(message([old]))


def test_several_are_one_message_of_ten_lines_and_a_count() -> None:
    many = [replace(FIRED, incident=replace(BURST, service=f"web-{n}")) for n in range(12)]
    payload = message([*many, RESOLVED])
    blocks = payload["attachments"][0]["blocks"]

    assert payload["text"] == "[13 alerts] 12 firing, 1 resolved, worst high: error_burst"
    assert blocks[1]["text"]["text"] == (
        "[FIRING high] error_burst web-0/production: 37 errors in last 5 minutes (limit 10)"
        " · <https://ops.example/alerts/c7e2ab|Open> · <https://ops.example/ack/c7e2ab?sig=1|Acknowledge>"
    )
    assert (len(blocks), blocks[-1]["text"]["text"]) == (12, "and 3 more")


def test_a_line_of_several_without_links_names_the_command() -> None:
    assert "(limit 10) · `otel-guard ack c7e2ab`" in shown(message([UNLINKED, UNLINKED]))


def test_the_plain_form_has_all_that_matters() -> None:
    assert plain([FIRED]) == {
        "text": "[FIRING high] error_burst web/production: 37 errors in last 5 minutes (limit 10)\n"
        "`OperationalError` x31 shop/orders.py:88\nhttps://ops.example/alerts/c7e2ab"
    }
    assert plain([UNLINKED])["text"].endswith("\notel-guard ack c7e2ab")
    assert plain([FIRED] * 12)["text"].splitlines()[-1] == "and 2 more"


TEXT = st.text(alphabet=st.sampled_from("ab &<>`🔥\n"), max_size=3).map(lambda text: text * 1700)


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT, st.integers(1, 60), st.booleans())
def test_slack_takes_whatever_stands_in_an_alert(text: str, url: str, n: int, is_linked: bool) -> None:
    incident = replace(
        BURST,
        message=text,
        service=text,
        environment=text,
        value=1e300,
        queries=[{"query": text, "table": text, "place": text, "duration": text}] * 9,
    )
    link = f"https://h/{url}" if is_linked else None
    notice = replace(
        FIRED,
        incident=incident,
        top=(text,) * n if n % 2 else (),
        runbook=(text,) * 9,
        deployed=text,
        url=link,
        acknowledge_url=link,
        acknowledge_command=text,
    )

    for payload in (message([notice]), message([notice] * n), plain([notice]), plain([notice] * n)):
        assert fault(payload) is None
        assert size(payload["text"]) <= 3000

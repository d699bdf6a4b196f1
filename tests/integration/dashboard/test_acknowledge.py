import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from otel_guard.alerts.links import VALID_MS
from otel_guard.demo.processes import environment
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.http import request
from otel_guard.store.lane import Lane
from tests.integration.dashboard.conftest import KEY, Scene

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def test_looking_shows_what_it_is_about_and_changes_nothing(scene: Scene) -> None:
    given = scene.open(labels={"provider": "stripe"}, queries=({"query": "SELECT 1", "duration": 1200.4},))
    for method in ("GET", "HEAD", "GET"):
        answer = scene.get(scene.link(given), method)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")

    shown = ("high", "error burst · web", "37 errors in last 5 minutes", "limit 10", "web · production", "just now",
             "provider", "stripe", "SELECT 1", "1200 ms", f"otel-guard alerts {given[-6:]}", "<button")  # fmt: skip
    assert [part for part in shown if part not in answer.text] == []
    assert scene.state(given).state == "firing"


def test_the_button_acknowledges_and_the_page_says_by_whom(scene: Scene) -> None:
    given = scene.open()
    answer = scene.get(scene.link(given), "POST", data={"name": "  Ana   <b>"})

    assert answer.status_code == 303
    link = urlsplit(scene.link(given))
    assert parse_qs(urlsplit(answer.headers["Location"]).query).keys() == parse_qs(link.query).keys()
    assert (scene.state(given).state, scene.state(given).acknowledged_by) == ("acknowledged", "Ana <b>")
    after = scene.get(f"{link.path}{answer.headers['Location']}").text
    assert "Acknowledged by <b>Ana &lt;b&gt;</b>, just now" in after
    assert "<button" not in after


def test_without_a_name_it_is_the_link(scene: Scene) -> None:
    given = scene.open()

    assert scene.get(scene.link(given), "POST").status_code == 303
    assert scene.state(given).acknowledged_by == "link"
    assert "Acknowledged through a link, just now" in scene.get(scene.link(given)).text


def test_who_comes_second_sees_who_was_first(scene: Scene) -> None:
    given = scene.open()
    scene.get(scene.link(given), "POST", data={"name": "Ana"})
    scene.get(scene.link(given), "POST", data={"name": "Bob"})

    assert scene.state(given).acknowledged_by == "Ana"


def test_what_is_over_says_so(scene: Scene) -> None:
    given = scene.open()
    with scene.lane.transaction() as database:
        scene.incidents.resolve(database, given, "ana", "false_positive")
    answer = scene.get(scene.link(given))

    assert "It is over: resolved just now, false positive" in answer.text
    assert "<button" not in answer.text
    assert scene.get(scene.link(given), "POST").status_code == 303
    assert scene.state(given).state == "resolved"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "spoilt",
    [
        "",
        "?expires=1",
        "?signature=x",
        "?expires=x&signature=x",
        "?expires=99999999999999999999&signature=x",
        "?expires=%C2%B2&signature=x",
    ],
)
def test_a_link_that_is_not_ours_is_refused(scene: Scene, method: str, spoilt: str) -> None:
    given = scene.open()
    answer = scene.get(f"{urlsplit(scene.link(given)).path}{spoilt}", method)

    assert answer.status_code == 403
    assert f"otel-guard ack {given[-6:]}" in answer.text
    assert "37 errors" not in answer.text
    assert scene.state(given).state == "firing"


def test_a_link_opens_only_its_own_incident(scene: Scene) -> None:
    one, other = scene.open(), scene.open(dedup_key="slow_queries:production:web")
    query = urlsplit(scene.link(one)).query

    assert scene.get(f"/alerts/{other}/acknowledge?{query}", "POST").status_code == 403
    assert scene.state(other).state == "firing"


def test_after_a_day_a_link_has_expired(scene: Scene) -> None:
    given = scene.open()
    link = scene.link(given)
    scene.clock.ahead_ms = VALID_MS
    answer = scene.get(link, "POST")

    assert (answer.status_code, "This link has expired" in answer.text) == (403, True)
    assert f"otel-guard ack {given[-6:]}" in answer.text
    assert scene.state(given).state == "firing"


@pytest.mark.parametrize("key", [None, "", "k" * 31, "x" * 32])
def test_without_the_key_nothing_opens(dsn: str, key: str | None) -> None:
    scene = Scene(dsn, key)
    given = scene.open()

    assert scene.get(scene.link(given), "POST").status_code == 403
    assert scene.state(given).state == "firing"
    scene.lane.close()


def test_an_incident_that_was_deleted_is_said(scene: Scene, query: Any) -> None:
    given = scene.open()
    query("DELETE FROM otel_guard.incidents")

    for method in ("GET", "POST"):
        answer = scene.get(scene.link(given), method)
        assert (answer.status_code, "There is no such incident" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("path", "method", "code"),
    [
        ("/", "GET", 404),
        ("/alerts/x/acknowledge", "GET", 404),
        ("/static/../application.py", "GET", 404),
        ("/static/style.css", "POST", 405),
    ],
)
def test_other_addresses_are_pages_too(scene: Scene, path: str, method: str, code: int) -> None:
    answer = scene.get(path, method)

    assert (answer.status_code, answer.content_type) == (code, "text/html; charset=utf-8")


def test_a_form_is_bounded(scene: Scene) -> None:
    given = scene.open()

    assert scene.get(scene.link(given), "POST", data={"name": "x" * 10_000}).status_code == 413
    odd = b"name=" + b"x" * 30 + b"%00%ED%A0%80%FF" + b"x" * 300
    form = "application/x-www-form-urlencoded"
    assert scene.get(scene.link(given), "POST", data=odd, content_type=form).status_code == 303
    assert scene.state(given).state == "acknowledged"
    assert 30 <= len(scene.state(given).acknowledged_by or "") <= 80


def test_every_answer_has_the_headers(scene: Scene) -> None:
    link = scene.link(scene.open())
    answers = [
        scene.get(link),
        scene.get(link, "POST"),
        scene.get("/nowhere"),
        scene.get("/static/style.css"),
        scene.get(link.partition("&")[0]),
    ]

    assert [answer.status_code for answer in answers] == [200, 303, 404, 200, 403]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "Set-Cookie" not in answer.headers


def test_what_stands_in_an_incident_is_text(scene: Scene) -> None:
    evil = "<script>alert(1)</script>\"'&"
    given = scene.open(message=evil, service=evil, labels={evil: evil}, queries=({"query": evil, "table": evil},))
    text = scene.get(scene.link(given)).text

    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 5


def test_nothing_comes_from_elsewhere_and_a_prefix_is_kept(scene: Scene) -> None:
    link = scene.link(scene.open())
    text = scene.get(link, environ_overrides={"SCRIPT_NAME": "/ops"}).text

    assert 'href="/ops/static/style.css?v=' in text
    assert "<script" not in text
    assert text.count("http://") == text.count("http://www.w3.org/2000/svg")
    assert "https://" not in text


def test_while_postgres_is_away_the_page_says_so(scene: Scene) -> None:
    link = scene.link(scene.open())
    scene.application._acknowledge._transaction = Lane("postgresql://u@127.0.0.1:1/x", SYSTEM).transaction
    answer = scene.get(link)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "Postgres does not answer" in answer.text
    assert "otel-guard alerts" in answer.text


def test_a_server_answers_and_logs_no_address(scene: Scene, address: str, capfd: pytest.CaptureFixture[str]) -> None:
    answer = request("GET", scene.link(scene.open(), address), {}, limit_bytes=100_000)

    assert (answer.status, answer.headers["server"]) == (200, "otel-guard")
    assert b"37 errors" in answer.body
    assert capfd.readouterr() == ("", "")


STARTS = "import typer; from otel_guard.cli.dashboard import command; typer.run(command)"


@pytest.fixture
def dashboard(dsn: str, tmp_path: Path) -> Iterator[Any]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environ: str) -> subprocess.Popen[str]:
        env = environment({"OTEL_GUARD_DSN": dsn, "OTEL_GUARD_SECRET_KEY": KEY} | environ)
        command = [sys.executable, "-c", STARTS, *arguments]
        made = subprocess.Popen(
            command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(made)
        return made

    yield start
    for each in started:
        each.kill()
        each.communicate()


def test_the_command_prints_its_address_and_serves(dashboard: Any, scene: Scene) -> None:
    started = dashboard("--port", "0")
    address = started.stdout.readline().strip()
    given = scene.open()

    assert address.startswith("http://127.0.0.1:")
    assert request("POST", scene.link(given, address), {}).status == 303
    assert scene.state(given).state == "acknowledged"


@pytest.mark.parametrize(
    ("arguments", "environ", "word"),
    [
        (("--port", "0"), {"OTEL_GUARD_SECRET_KEY": ""}, "OTEL_GUARD_SECRET_KEY has not 32 bytes"),
        (("--port", "0"), {"OTEL_GUARD_SECRET_KEY": "short"}, "openssl rand"),
        (("--host", "0.0.0.0"), {}, "OTEL_GUARD_DASHBOARD_TOKEN"),
        (("--host", "0.0.0.0"), {"OTEL_GUARD_DASHBOARD_TOKEN": "t" * 31}, "at least 32 bytes"),
        (("--port", "0"), {"OTEL_GUARD_DSN": ""}, "OTEL_GUARD_DSN is not set"),
    ],
)
def test_the_command_says_what_is_missing(
    dashboard: Any, arguments: tuple[str, ...], environ: dict[str, str], word: str
) -> None:
    started = dashboard(*arguments, **environ)

    assert word in started.communicate(timeout=60)[1]
    assert started.returncode != 0

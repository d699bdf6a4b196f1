"""The command as people call it, in set-ups that are whole and in broken ones."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from otel_guard.demo.standins import otlp, sentry, slack
from otel_guard.doctor.libraries import GROUP
from otel_guard.doctor.probing import PROBES
from otel_guard.instrumentation._libraries import LIBRARIES
from tests.conftest import Server

ROOT = Path(__file__).parents[3]
LIMIT_S = 120.0
ALL = [library.name for library in LIBRARIES]
PROVIDER_KEY = "k" * 32


class Said:
    """What one run said."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.error = done.stderr

    def rows(self) -> dict[str, dict[str, Any]]:
        """The rows of `--json` by their name."""
        body = json.loads(self.out)
        assert body["schema"] == "otel_guard.doctor.v1"
        counts = [row["status"] for row in body["checks"]]
        assert all(body[status] == counts.count(status) for status in ("ok", "warning", "failed"))
        assert len({row["name"] for row in body["checks"]}) == len(body["checks"])
        assert all(list(row) == ["name", "version", "status", "detail", "fix"] for row in body["checks"])
        return {row["name"]: row for row in body["checks"]}


def doctor(*arguments: str, only: str = "", path: Path | None = None, cwd: Path = ROOT, **variables: str) -> Said:
    """Run it; *only* one library is probed, none without it; *path* comes first on PYTHONPATH."""
    own = ("OTEL_", "SENTRY_", "SLACK_", "MAKE_", "PYTHONPATH")
    given = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    off = "" if only == "all" else ",".join(name for name in ALL if name != only)
    environ = given | {
        "PYTHONPATH": os.pathsep.join([*([str(path)] if path else []), str(ROOT)]),
        "OTEL_GUARD_INSTRUMENT_OFF": off,
        "OTEL_TRACES_EXPORTER": "none",
        "COLUMNS": "140",
        **variables,
    }
    command = [sys.executable, "-m", "otel_guard", "doctor", *arguments]
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    said = Said(done)
    assert "Traceback" not in said.out + said.error
    return said


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def api() -> Iterator[otlp.Counter]:
    made = otlp.start()
    yield made
    made.stop()


def distribution(folder: Path, name: str, version: str, **modules: str) -> None:
    """Make a package that is installed once *folder* is on the path."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text)


def test_every_installed_library_is_ok() -> None:
    said = doctor("--json", "--no-network", only="all", OTEL_GUARD_INSTRUMENT_ON="sqlite3")

    rows = said.rows()
    assert said.code == 0
    for library in LIBRARIES:
        row = rows[library.name]
        if find_spec(library.trigger) is None:
            assert (row["status"], row["detail"]) == ("absent", "not installed")
        else:
            assert row["status"] == "ok", row
            assert row["detail"].startswith("1 span a call, error, record"), row


def test_with_strict_settings_what_is_wrong_with_them_is_a_row_all_the_same() -> None:
    said = doctor("--json", OTEL_GUARD_STRICT="1", OTEL_GUARD_JOURNAL_LIMIT_MB="many")

    assert (said.code, said.rows()["OTEL_GUARD_JOURNAL_LIMIT_MB"]["status"]) == (1, "failed")


def test_every_probe_is_of_a_watched_library() -> None:
    assert set(PROBES) <= set(ALL)
    assert GROUP == "libraries"


def test_offline_nothing_is_asked(dsn: str) -> None:
    rows = doctor(
        "--json",
        "--no-network",
        OTEL_GUARD_DSN=dsn,
        OTEL_TRACES_EXPORTER="otlp",
        SLACK_WEBHOOK_URL="http://127.0.0.1:1/x",
    ).rows()

    for name in ("postgres", "collector", "slack"):
        assert (rows[name]["status"], rows[name]["detail"]) == ("absent", "not asked: --no-network")


def test_a_whole_set_up_is_exit_0(dsn: str, tmp_path: Path, api: otlp.Counter) -> None:
    events, hooks = sentry.start(), slack.start()
    try:
        said = doctor(
            "--json",
            only="requests",
            OTEL_GUARD_DSN=dsn,
            OTEL_GUARD_JOURNAL_DIR=str(tmp_path),
            OTEL_TRACES_EXPORTER="otlp",
            OTEL_EXPORTER_OTLP_ENDPOINT=api.url,
            SENTRY_DSN=events.dsn,
            SLACK_WEBHOOK_URL=hooks.url,
        )
    finally:
        events.stop()
        hooks.stop()

    rows = said.rows()
    assert said.code == 0
    for name in (
        "requests",
        "postgres",
        "postgres schema",
        "postgres rights",
        "collector",
        "sentry",
        "slack",
        "journal",
    ):
        assert rows[name]["status"] == "ok", rows[name]
    assert rows["monitor"]["status"] == "warning"
    assert "otel-guard monitor" in rows["monitor"]["fix"]
    assert (events.events, hooks.messages, list(tmp_path.iterdir())) == ([], [], [])
    assert rows["dsn"]["detail"] == "set, not shown (from OTEL_GUARD_DSN)"


def test_warnings_fail_with_strict(dsn: str) -> None:
    assert doctor("--strict", OTEL_GUARD_DSN=dsn).code == 1


def test_postgres_away_alone_is_exit_69() -> None:
    said = doctor("--json", OTEL_GUARD_DSN=f"postgresql://nobody@127.0.0.1:{closed_port()}/none")

    assert said.code == 69
    assert said.rows()["postgres"]["status"] == "failed"
    assert "start Postgres" in said.rows()["postgres"]["fix"]


def test_a_role_without_rights_is_told_with_the_grant(dsn: str, postgres: Server) -> None:
    postgres.execute("DROP ROLE IF EXISTS weak")
    postgres.execute("CREATE ROLE weak LOGIN")
    parts = urlsplit(dsn)
    weak = urlunsplit(parts._replace(netloc=f"weak@{parts.hostname}:{parts.port}"))
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute("GRANT USAGE ON SCHEMA otel_guard TO weak")
        try:
            said = doctor("--json", OTEL_GUARD_DSN=weak)
        finally:
            database.execute("DROP OWNED BY weak")
    postgres.execute("DROP ROLE weak")

    row = said.rows()["postgres rights"]
    assert said.code == 1
    assert (row["status"], "INSERT on" in row["detail"]) == ("failed", True)
    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA otel_guard TO weak" in row["fix"]


def test_without_the_schema_migrate_is_the_fix(empty_dsn: str) -> None:
    said = doctor("--json", OTEL_GUARD_DSN=empty_dsn)

    assert said.code == 1
    assert said.rows()["postgres schema"]["fix"] == "run `otel-guard migrate`"


def test_a_dsn_that_is_none_is_told_without_showing_it() -> None:
    secret = "hunter" + "2"
    said = doctor("--json", OTEL_GUARD_DSN=f"mysql://root:{secret}@127.0.0.1/x")

    assert said.code == 1
    assert said.rows()["postgres dsn"]["status"] == "failed"
    assert secret not in said.out


def test_a_collector_that_is_down_is_told() -> None:
    where = f"http://127.0.0.1:{closed_port()}"
    said = doctor("--json", OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_ENDPOINT=where)

    row = said.rows()["collector"]
    assert (said.code, row["status"]) == (1, "failed")
    assert where in row["detail"]
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in row["fix"]


def test_a_wrong_path_of_the_collector_is_told(api: otlp.Counter) -> None:
    said = doctor("--json", OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_ENDPOINT=f"{api.url}/wrong")

    assert said.code == 1
    assert "answers 404" in said.rows()["collector"]["detail"]


def test_a_library_out_of_range_is_told_with_what_to_install(tmp_path: Path) -> None:
    distribution(tmp_path, "stripe", "5.0.0", stripe='"""Before its inner names were what they are."""\n')
    said = doctor("--json", only="stripe", path=tmp_path)

    row = said.rows()["stripe"]
    assert (said.code, row["status"], row["version"]) == (1, "failed", "5.0.0")
    assert "out of range (stripe >= 8): its calls are not watched" in row["detail"]
    assert row["fix"] == "install stripe>=8"


def test_a_library_that_cannot_be_imported_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "stripe.py").write_text("import os\nos._exit(3)\n")
    off = ",".join(name for name in ALL if name not in {"stripe", "requests", "smtplib"})
    rows = doctor("--json", path=tmp_path, OTEL_GUARD_INSTRUMENT_OFF=off).rows()

    assert {name: rows[name]["status"] for name in ("requests", "smtplib", "stripe")} == {
        "requests": "ok",
        "smtplib": "ok",
        "stripe": "failed",
    }


DOUBLE = """
import functools
import smtplib

from opentelemetry import trace

sendmail = smtplib.SMTP.sendmail


@functools.wraps(sendmail)
def doubled(self, *args, **kwargs):
    with trace.get_tracer("foreign").start_as_current_span("mail", kind=trace.SpanKind.CLIENT):
        return sendmail(self, *args, **kwargs)


smtplib.SMTP.sendmail = doubled
"""


def test_a_second_span_of_a_call_is_told_with_its_maker(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(DOUBLE)
    said = doctor("--json", only="smtplib", path=tmp_path)

    row = said.rows()["smtplib"]
    assert (said.code, row["status"]) == (1, "failed")
    assert row["detail"].startswith("2 spans a call")
    assert "foreign" in row["detail"]


def test_genai_anthropic_beside_native_spans_is_told(tmp_path: Path) -> None:
    name = "opentelemetry-instrumentation-genai-anthropic"
    if find_spec("anthropic._tracing") is None:
        pytest.skip("the installed anthropic makes no spans of its own")
    distribution(tmp_path, name, "1.0b0")  # that it is installed is what is looked at; it is stopped when it is loaded
    said = doctor("--json", path=tmp_path)

    row = said.rows()[name]
    assert (said.code, row["status"], row["version"]) == (1, "failed", "1.0b0")
    assert row["fix"] == f"pip uninstall {name}"


def test_an_openai_instrumentor_of_others_is_a_warning(tmp_path: Path) -> None:
    distribution(tmp_path, "opentelemetry-instrumentation-openai-v2", "2.1b0")
    said = doctor("--json", path=tmp_path)

    assert (said.code, said.rows()["opentelemetry-instrumentation-openai-v2"]["status"]) == (0, "warning")


def test_a_journal_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    port = closed_port()
    said = doctor(
        "--json",
        OTEL_GUARD_DSN=f"postgresql://nobody@127.0.0.1:{port}/none",
        OTEL_GUARD_JOURNAL_DIR=str(tmp_path / "file" / "journal"),
    )

    row = said.rows()["journal"]
    assert (said.code, row["status"]) == (1, "failed")
    assert "OTEL_GUARD_JOURNAL_DIR" in row["fix"]


def test_a_slack_webhook_that_is_gone_is_told() -> None:
    hooks = slack.start()
    try:
        gone = urlunsplit(urlsplit(hooks.url)._replace(path="/services/gone"))
        said = doctor("--json", SLACK_WEBHOOK_URL=gone)
    finally:
        hooks.stop()

    row = said.rows()["slack"]
    assert (said.code, row["detail"]) == (1, "404 no_service")
    assert "new webhook" in row["fix"]


def test_critical_that_only_an_unconfirmed_webhook_hears_is_a_warning(api: otlp.Counter) -> None:
    said = doctor("--json", MAKE_WEBHOOK_URL=f"{api.url}/hook")

    rows = said.rows()
    assert (said.code, rows["make"]["status"], rows["critical"]["status"]) == (0, "ok", "warning")


def test_bad_settings_and_short_keys_are_told(tmp_path: Path) -> None:
    (tmp_path / "otel_guard.toml").write_text('[rule.error_bursts]\nthreshold = 3\n[channel.ops]\ntype = "slak"\n')
    said = doctor("--json", cwd=tmp_path, OTEL_GUARD_SECRET_KEY="short", OTEL_GUARD_JOURNAL_LIMIT_MB="many")

    rows = said.rows()
    assert said.code == 1
    for name in ("secret_key", "OTEL_GUARD_JOURNAL_LIMIT_MB", "rule.error_bursts", "channel.ops.type"):
        assert rows[name]["status"] == "failed", rows.keys()
    assert '"short"' not in said.out


APPLICATION = """
import sqlalchemy

import otel_guard

otel_guard.configure()
engine = sqlalchemy.create_engine("sqlite://")
"""


def test_an_application_is_imported_and_what_it_made_is_shown(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(APPLICATION)
    said = doctor("--json", "--import", "shop", cwd=tmp_path, path=tmp_path, OTEL_METRICS_EXPORTER="none")

    rows = said.rows()
    assert said.code == 0, said.out
    assert rows["shop"]["detail"] == "imported"
    assert "KeepErrorsSampler" in rows["provider"]["detail"] or rows["provider"]["status"] == "ok"
    assert rows["engines"]["detail"] == "1 of SQLAlchemy: sqlite+pysqlite"
    assert rows["traceparent"]["status"] == "ok"


@pytest.mark.parametrize(
    "text", ["raise RuntimeError('no database')", "import os; os._exit(4)", "import sys; sys.exit(2)"]
)
def test_an_application_that_cannot_be_imported_is_a_row(tmp_path: Path, text: str) -> None:
    (tmp_path / "shop.py").write_text(text)
    said = doctor("--json", "--import", "shop", cwd=tmp_path, path=tmp_path)

    assert (said.code, said.rows()["shop"]["status"]) == (1, "failed")


@pytest.mark.parametrize("columns", [80, 140])
def test_lines_are_no_wider_than_the_terminal_and_without_colour_elsewhere(columns: int) -> None:
    said = doctor(OTEL_TRACES_EXPORTER="otlp", COLUMNS=str(columns))

    assert max(map(len, said.out.splitlines())) <= columns
    assert "\x1b" not in said.out

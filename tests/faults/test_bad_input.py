"""Bad and missing input, as real processes: one clear line, the application as ever, nothing lost that can be kept."""

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from otel_guard.demo.processes import environment, script
from otel_guard.demo.standins import sentry
from otel_guard.store.migrate import migrate

LIMIT_S = 60
APPLICATION = """
import sys
import otel_guard

guard = otel_guard.configure()
print("started")
try:
    {}["price"]
except KeyError:
    otel_guard.capture_error(context="payment")
print("problems", len(guard.problems))
sys.exit(3)
"""
# Lives on until the journals in the folder of its first argument are gone.
UNTIL_GONE = """
import pathlib, sys, threading
import otel_guard

otel_guard.configure()
waiting, left = threading.Event(), 300
while left and list(pathlib.Path(sys.argv[1]).glob("*.seg")):
    waiting.wait(0.1)
    left -= 1
"""
COUNT = "SELECT error_type, context FROM otel_guard.system_errors"

Query = Callable[..., list[dict[str, Any]]]
Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def env(dsn: str, tmp_path: Path) -> dict[str, str]:
    return environment(
        {
            "OTEL_GUARD_DSN": dsn,
            "OTEL_GUARD_JOURNAL_DIR": str(tmp_path / "journal"),
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_GUARD_EXIT_TIMEOUT_S": "1",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
        }
    )


def _run(env: Mapping[str, str], folder: Path, program: str = APPLICATION) -> Ran:
    return _ran([sys.executable, "-c", program], env, folder)


def _ran(command: list[str], env: Mapping[str, str], folder: Path) -> Ran:
    return subprocess.run(
        command, env=dict(env), cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


def _lines(ran: Ran) -> list[str]:
    return [line for line in ran.stderr.splitlines() if line.startswith("otel-guard:")]


def _is_untouched(ran: Ran) -> None:
    """The application ended as it does alone, and nothing of ours broke."""
    assert ran.returncode == 3, ran.stderr
    assert ran.stdout.startswith("started\n"), ran.stdout
    assert "Traceback" not in ran.stderr, ran.stderr


def _says_once(ran: Ran, *words: str) -> None:
    _is_untouched(ran)
    lines = _lines(ran)
    assert len(lines) == 1, ran.stderr
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    for word in words:
        assert word in lines[0], lines[0]


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _segments(env: Mapping[str, str], folder: str = "shop-*") -> list[Path]:
    return sorted(Path(env["OTEL_GUARD_JOURNAL_DIR"]).glob(f"{folder}/*.seg"))


def test_all_well_says_nothing(env: dict[str, str], query: Query, tmp_path: Path) -> None:
    ran = _run(env, tmp_path)
    _is_untouched(ran)
    assert ran.stderr == ""
    assert query(COUNT) == [{"error_type": "KeyError", "context": "payment"}]


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ("mysql://root:hunter2@db/shop", "is not a Postgres URL"),
        ("hunter2", "is not a Postgres URL"),
        ("postgresql://guard:hunter2@db/shop?sslmod=off", "sslmod"),
        ("postgresql://guard:hunter2%zz@db/shop", "cannot be read"),
    ],
)
def test_a_wrong_dsn_is_said_without_its_secret(env: dict[str, str], tmp_path: Path, bad: str, word: str) -> None:
    ran = _run({**env, "OTEL_GUARD_DSN": bad}, tmp_path)
    _says_once(ran, "OTEL_GUARD_DSN", word)
    assert "hunter2" not in ran.stderr
    assert "problems 1" in ran.stdout
    assert _segments(env, "shop-00000000")


def test_a_record_of_a_wrong_dsn_waits_for_the_services_next_process_with_a_good_one(
    env: dict[str, str], query: Query, tmp_path: Path
) -> None:
    _is_untouched(_run({**env, "OTEL_GUARD_DSN": "hunter2"}, tmp_path))
    waited = _ran([sys.executable, "-c", UNTIL_GONE, str(tmp_path / "journal" / "shop-00000000")], env, tmp_path)
    assert (waited.returncode, waited.stderr) == (0, "")
    assert len(query(COUNT)) == 1
    assert not _segments(env)


def test_postgres_away_is_said_with_the_cure_and_the_record_waits(env: dict[str, str], tmp_path: Path) -> None:
    ran = _run({**env, "OTEL_GUARD_DSN": f"postgresql://guard@127.0.0.1:{_closed_port()}/shop"}, tmp_path)
    _says_once(ran, "Postgres")
    assert _segments(env)


def test_missing_tables_are_said_with_the_command_and_the_record_waits_for_them(
    env: dict[str, str], empty_dsn: str, tmp_path: Path
) -> None:
    without = {**env, "OTEL_GUARD_DSN": empty_dsn}
    ran = _run(without, tmp_path)
    _says_once(ran, "otel-guard migrate")
    assert _segments(env)
    migrate(empty_dsn)
    drained = _ran([script("otel-guard"), "drain", "--json"], without, tmp_path)
    assert drained.returncode == 0, drained.stdout + drained.stderr
    assert '"delivered": 1' in drained.stdout or '"delivered":1' in drained.stdout, drained.stdout


def test_missing_rights_are_said_and_the_record_waits(env: dict[str, str], postgres: Any, tmp_path: Path) -> None:
    role = f"nobody_{re.sub('[^a-z0-9]', '', tmp_path.name.lower())}"
    postgres.execute(f"CREATE ROLE {role} LOGIN")
    ran = _run({**env, "OTEL_GUARD_DSN": env["OTEL_GUARD_DSN"].replace("//guard@", f"//{role}@")}, tmp_path)
    _says_once(ran, "permission")
    assert _segments(env)


def test_a_file_in_place_of_the_journal_folder_is_said_and_the_record_goes_through_memory(
    env: dict[str, str], query: Query, tmp_path: Path
) -> None:
    (tmp_path / "journal").write_text("")
    ran = _run(env, tmp_path)
    _says_once(ran, "memory", "OTEL_GUARD_JOURNAL_DIR")
    assert len(query(COUNT)) == 1


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("OTEL_GUARD_JOURNAL_DIRR", "/tmp/x", ("OTEL_GUARD_JOURNAL_DIRR", "did you mean OTEL_GUARD_JOURNAL_DIR?")),
        ("OTEL_GUARD_PURPLE", "1", ("OTEL_GUARD_PURPLE", "no setting", "ignored")),
        ("OTEL_GUARD_JOURNAL_LIMIT_MB", "lots", ("OTEL_GUARD_JOURNAL_LIMIT_MB", "lots", "256")),
        ("OTEL_GUARD_CONSOLE", "loud", ("OTEL_GUARD_CONSOLE", "loud", "auto")),
        ("OTEL_GUARD_ENABLED", "yes please", ("OTEL_GUARD_ENABLED", "yes please")),
        ("OTEL_GUARD_CONFIG", "nowhere.toml", ("OTEL_GUARD_CONFIG", "nowhere.toml")),
        ("OTEL_GUARD_INSTRUMENT_OFF", "strippe", ("OTEL_GUARD_INSTRUMENT_OFF", "strippe")),
        ("SENTRY_DSN", "not a dsn hunter2", ("SENTRY_DSN", "https://KEY@HOST/PROJECT_NUMBER")),
    ],
)
def test_a_bad_variable_is_said_and_the_default_holds(
    env: dict[str, str], query: Query, tmp_path: Path, variable: str, value: str, words: tuple[str, ...]
) -> None:
    ran = _run({**env, variable: value}, tmp_path)
    _says_once(ran, *words)
    assert "problems 1" in ran.stdout
    assert "hunter2" not in ran.stderr
    assert len(query(COUNT)) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[journal]\ndirr = "/tmp/x"\n', ("journal.dirr", "did you mean journal.dir?")),
        ('purple = "yes"\n', ("purple", "no setting")),
        ('[journal]\nlimit_mb = "lots"\n', ("journal.limit_mb", "lots", "256")),
        ("[slow]\ndatabase_ms = 0.5.1\n", ("not TOML", "line 2")),
        ('[[classify]]\nexception = "KeyError"\nseverity = "awful"\n', ("classify[0]", "severity")),
    ],
)
def test_a_bad_file_is_said_with_the_dotted_path_and_the_default_holds(
    env: dict[str, str], query: Query, tmp_path: Path, content: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "otel_guard.toml").write_text(content)
    ran = _run(env, tmp_path)
    _says_once(ran, "otel_guard.toml", *words)
    assert len(query(COUNT)) == 1


def test_three_mistakes_are_three_lines(env: dict[str, str], query: Query, tmp_path: Path) -> None:
    (tmp_path / "otel_guard.toml").write_text("purple = 1\n")
    ran = _run({**env, "OTEL_GUARD_GREEN": "1", "OTEL_GUARD_SLOW_AI_MS": "soon"}, tmp_path)
    _is_untouched(ran)
    assert len(_lines(ran)) == 3, ran.stderr
    assert "problems 3" in ran.stdout
    assert len(query(COUNT)) == 1


@pytest.mark.parametrize("bad", ["journal_dirr='x'", "journal_limit_mb='lots'", "settings=1"])
def test_a_bad_keyword_is_the_programmers_type_error(env: dict[str, str], tmp_path: Path, bad: str) -> None:
    ran = _run(env, tmp_path, f"import otel_guard\ntry:\n otel_guard.configure({bad})\nexcept TypeError:\n print('so')")
    assert (ran.returncode, ran.stdout) == (0, "so\n"), ran.stderr


def test_strict_makes_a_bad_variable_an_error_of_its_own_kind(env: dict[str, str], tmp_path: Path) -> None:
    program = (
        "import otel_guard\ntry:\n otel_guard.configure()\n"
        "except otel_guard.OtelGuardError as error:\n print(type(error).__name__, error)"
    )
    ran = _run({**env, "OTEL_GUARD_STRICT": "1", "OTEL_GUARD_PURPLE": "1"}, tmp_path, program)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("SettingsError OTEL_GUARD_PURPLE")


@pytest.mark.parametrize(("again", "lines"), [("", 0), ("journal_limit_mb=64", 1)])
def test_a_second_configure_gives_the_first_guard_and_warns_if_it_differs(
    env: dict[str, str], query: Query, tmp_path: Path, again: str, lines: int
) -> None:
    program = APPLICATION.replace(
        'print("started")', f"print('started')\nassert otel_guard.configure({again}) is guard"
    )
    ran = _run(env, tmp_path, program)
    _is_untouched(ran)
    assert len(_lines(ran)) == lines, ran.stderr
    assert len(query(COUNT)) == 1


def test_without_any_target_records_go_to_the_console(env: dict[str, str], tmp_path: Path) -> None:
    ran = _run({name: value for name, value in env.items() if name != "OTEL_GUARD_DSN"}, tmp_path)
    assert ran.returncode == 3, ran.stderr
    assert len(_lines(ran)) == 1, ran.stderr
    assert "OTEL_GUARD_DSN" in _lines(ran)[0]
    assert "KeyError" in ran.stderr


def test_with_sentry_only_the_failure_is_there_once(env: dict[str, str], tmp_path: Path) -> None:
    server = sentry.start()
    try:
        given = {name: value for name, value in env.items() if name != "OTEL_GUARD_DSN"}
        ran = _run({**given, "SENTRY_DSN": server.dsn}, tmp_path)
        _is_untouched(ran)
        assert ran.stderr == ""
        assert [event.exception_type for event in server.events] == ["KeyError"]
    finally:
        server.stop()


def test_an_absent_collector_is_said_once_and_errors_are_kept(
    env: dict[str, str], query: Query, tmp_path: Path
) -> None:
    env["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{_closed_port()}"
    del env["OTEL_TRACES_EXPORTER"], env["OTEL_METRICS_EXPORTER"]
    program = APPLICATION.replace('{}["price"]', 'with otel_guard.watch("price"): {}["price"]')
    ran = _run(env, tmp_path, program)
    _says_once(ran, "Collector", env["OTEL_EXPORTER_OTLP_ENDPOINT"])
    assert len(query(COUNT)) == 1


@pytest.mark.parametrize("enabled", ["0", "false"])
def test_switched_off_it_does_and_says_nothing(env: dict[str, str], query: Query, tmp_path: Path, enabled: str) -> None:
    ran = _run({**env, "OTEL_GUARD_ENABLED": enabled}, tmp_path)
    _is_untouched(ran)
    assert ran.stderr == ""
    assert query(COUNT) == []
    assert not (tmp_path / "journal").exists()

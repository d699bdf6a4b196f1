"""Settings are read from keyword, environment and file; what is wrong is said in one line each."""

from pathlib import Path
from typing import Any

import pytest

from otel_guard.core.exceptions import SettingsError
from otel_guard.settings import Loaded, load
from otel_guard.settings.tree import ClassifyRow, RedactionRule


def loaded(folder: Path, file: str | None = None, **environ: str) -> Loaded:
    if file is not None:
        (folder / "otel_guard.toml").write_text(file)
    return load({}, {f"OTEL_GUARD_{name}": value for name, value in environ.items()}, folder)


@pytest.mark.parametrize(
    ("keyword", "variable", "file", "expected", "source"),
    [
        (None, None, None, 500, None),
        (None, None, 1, 1, "file"),
        (None, "2", 1, 2, "environment"),
        (3, "2", 1, 3, "keyword"),
        (None, " ", 1, 1, "file"),
        (None, "0", None, 0, "environment"),
    ],
)
def test_keyword_beats_environment_beats_file_beats_default(
    tmp_path: Path, keyword: int | None, variable: str | None, file: int | None, expected: int, source: str | None
) -> None:
    if file is not None:
        (tmp_path / "otel_guard.toml").write_text(f"[slow]\ndatabase_ms = {file}\n")
    overrides = {} if keyword is None else {"slow_database_ms": keyword}
    environ = {} if variable is None else {"OTEL_GUARD_SLOW_DATABASE_MS": variable}

    found = load(overrides, environ, tmp_path)

    assert found.settings.slow.database_ms == expected
    assert found.sources.get("slow.database_ms") == source
    assert found.problems == ()


@pytest.mark.parametrize(
    ("variable", "text", "read"),
    [
        ("ENABLED", "false", lambda s: s.enabled is False),
        ("ENABLED", "0", lambda s: s.enabled is False),
        ("ENABLED", "1", lambda s: s.enabled is True),
        ("EXIT_TIMEOUT_S", "2.5", lambda s: s.exit_timeout_s == 2.5),
        ("INSTRUMENT_OFF", "stripe, openai,", lambda s: s.instrument.off == ("stripe", "openai")),
        ("HEALTH_READY", "", lambda s: s.health.ready == ("database",)),
        ("CONSOLE", "on", lambda s: s.console == "on"),
        ("DSN", " postgresql://u@h/d ", lambda s: s.dsn == "postgresql://u@h/d"),
    ],
)
def test_texts_of_the_environment_become_values(tmp_path: Path, variable: str, text: str, read: Any) -> None:
    found = loaded(tmp_path, **{variable: text})

    assert read(found.settings)
    assert found.problems == ()


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("DNS", "x", "OTEL_GUARD_DNS is no setting (did you mean OTEL_GUARD_DSN?); it is ignored"),
        ("WHATEVER_IT_IS", "x", "OTEL_GUARD_WHATEVER_IT_IS is no setting; it is ignored"),
        (
            "SLOW_DATABASE_MS",
            "fast",
            "OTEL_GUARD_SLOW_DATABASE_MS: Expected int, got str (it is 'fast'); the default holds: 500",
        ),
        (
            "SLOW_DATABASE_MS",
            "-1",
            "OTEL_GUARD_SLOW_DATABASE_MS: Expected int >= 0 (it is '-1'); the default holds: 500",
        ),
        ("ENABLED", "maybe", "OTEL_GUARD_ENABLED: Expected bool, got str (it is 'maybe'); the default holds: True"),
        ("SENTRY", "on", "OTEL_GUARD_SENTRY: Invalid enum value 'on' (it is 'on'); the default holds: auto"),
    ],
)
def test_a_bad_variable_is_one_line_and_the_default_holds(tmp_path: Path, variable: str, text: str, said: str) -> None:
    found = loaded(tmp_path, **{variable: text})

    assert found.problems == (said,)
    assert found.settings == load({}, {}, tmp_path).settings


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("[journal]\nlimit_mb = 'much'\n", ("journal.limit_mb: Expected int, got str", "the default holds: 256")),
        ("[journal]\nlimitmb = 1\n", ("journal.limitmb is no setting", "did you mean journal.limit_mb?")),
        ("slow = 3\n", ("slow is no setting",)),
        ("[slow\n", ("is not TOML", "line 1", "the whole file is ignored")),
        ("[[classify]]\nseverity = 'bad'\n", ("classify[0]", "the row is ignored")),
        ("[[classify]]\nexeption = 'X'\n", ("classify[0]", "unknown key", "exeption")),
        ("classify = 3\n", ("classify must be an array of tables",)),
        ("[[redaction.rule]]\nkind = 'x'\n", ("redaction.rule[0]", "trigger")),
    ],
)
def test_a_bad_file_is_one_line_with_its_path_and_the_default_holds(
    tmp_path: Path, file: str, said: tuple[str, ...]
) -> None:
    found = loaded(tmp_path, file)

    assert len(found.problems) == 1
    assert found.problems[0].startswith(str(tmp_path / "otel_guard.toml"))
    assert [part for part in said if part not in found.problems[0]] == []
    assert found.settings == load({}, {}, tmp_path / "nowhere").settings


def test_one_bad_setting_leaves_the_others(tmp_path: Path) -> None:
    found = loaded(tmp_path, "[slow]\ndatabase_ms = 'x'\nai_ms = 7\n", SLOW_EMAIL_MS="x", SLOW_PAYMENT_MS="8")

    assert len(found.problems) == 2
    assert (found.settings.slow.ai_ms, found.settings.slow.payment_ms) == (7, 8)


@pytest.mark.parametrize(("mode", "said"), [(None, "which is not there"), ("folder", "cannot be read")])
def test_a_named_file_that_cannot_be_read_is_said(tmp_path: Path, mode: str | None, said: str) -> None:
    named = tmp_path / "named.toml"
    if mode == "folder":
        named.mkdir()

    found = loaded(tmp_path, CONFIG=str(named))

    assert len(found.problems) == 1
    assert said in found.problems[0]


def test_a_secret_is_not_shown_even_where_it_is_wrong(tmp_path: Path) -> None:
    found = loaded(tmp_path, "dsn = ['postgresql://u:hidden@h/d']\n")

    assert len(found.problems) == 1
    assert "hidden" not in found.problems[0]


def test_rows_that_stand_only_in_the_file_are_read(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        """
[[classify]]
exception = "ValueError"
severity = "ignore"
[[redaction.rule]]
kind = "member"
trigger = "FK-"
pattern = "FK-[0-9]{6}"
[rule.slow]
when = "later"
""",
    )

    assert found.problems == ()
    assert found.settings.classify == (ClassifyRow(exception="ValueError", severity="ignore"),)
    assert found.settings.redaction_rules == (RedactionRule(kind="member", trigger="FK-", pattern="FK-[0-9]{6}"),)
    assert found.settings.tables == {"rule": {"slow": {"when": "later"}}}


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"journal_dri": "x"}, "configure() has no setting 'journal_dri' (did you mean journal_dir?)"),
        ({"journal.dir": "x"}, "configure() has no setting 'journal.dir' (did you mean journal_dir?)"),
        ({"slow_ai_ms": "3"}, "configure(slow_ai_ms=…): Expected int, got str"),
        ({"classify": ()}, "configure() has no setting 'classify'"),
    ],
)
def test_a_wrong_keyword_is_a_type_error(tmp_path: Path, overrides: dict[str, object], said: str) -> None:
    with pytest.raises(TypeError) as caught:
        load(overrides, {}, tmp_path)

    assert str(caught.value) == said


def test_keywords_take_paths_lists_and_sets(tmp_path: Path) -> None:
    found = load({"journal_dir": tmp_path, "instrument_off": ["a", "b"], "hosts_ai": {"c"}}, {}, tmp_path)

    assert found.settings.journal.dir == str(tmp_path)
    assert found.settings.instrument.off == ("a", "b")
    assert found.settings.hosts.ai == ("c",)


@pytest.mark.parametrize("how", ["environment", "file"])
def test_strict_raises_the_first_problem(tmp_path: Path, how: str) -> None:
    file = "strict = true\nnonsense = 1\n" if how == "file" else None
    environ = {"OTEL_GUARD_STRICT": "1", "OTEL_GUARD_NONSENSE": "1"} if how == "environment" else {}
    if file is not None:
        (tmp_path / "otel_guard.toml").write_text(file)

    with pytest.raises(SettingsError, match="is no setting"):
        load({}, environ, tmp_path)


@pytest.mark.parametrize("name", ["COLLECTOR", "TRACES_TO", "KEEP_PERCENT", "QUEUE_FSYNC", "REQUIRE_ALL", "LINKS"])
def test_variables_of_the_collector_and_the_tests_are_known(tmp_path: Path, name: str) -> None:
    assert loaded(tmp_path, **{name: "x"}).problems == ()

from pathlib import Path

import pytest

from otel_guard.monitor.rulefile import RuleFile
from otel_guard.settings import Settings, load
from otel_guard.settings.rules import rules

LIMIT = "[rule.error_burst]\nabove = {}\n"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "otel_guard.toml"
    monkeypatch.setenv("OTEL_GUARD_CONFIG", str(found))
    return found


def above(settings: Settings) -> float | None:
    return next(rule.above for rule in rules(settings).rules if rule.name == "error_burst")


def test_it_is_read_first_and_then_when_it_changes(path: Path) -> None:
    path.write_text(LIMIT.format(25))
    file = RuleFile(Settings())
    first, again = file.read(), file.read()
    path.write_text(LIMIT.format(250))
    changed = file.read()

    assert first is not None
    assert (above(first.settings), first.problems, again) == (25, (), None)
    assert changed is not None
    assert above(changed.settings) == 250


@pytest.mark.parametrize("broken", ["[rule.error_burst\nabove =", None])
def test_while_it_is_broken_or_gone_the_last_good_one_holds(path: Path, broken: str | None) -> None:
    path.write_text(LIMIT.format(25))
    file = RuleFile(Settings())
    file.read()
    if broken is None:
        path.unlink()
    else:
        path.write_text(broken)
    found = file.read()

    assert found is not None
    assert above(found.settings) == 25
    assert [line.endswith(("holds on", "starts again")) for line in found.problems] == [True]
    path.write_text(LIMIT.format(26))
    mended = file.read()
    assert mended is not None
    assert (above(mended.settings), mended.problems) == (26, ())


def test_broken_from_the_start_the_defaults_hold_and_it_is_said(path: Path) -> None:
    path.write_text("rule = [")
    found = RuleFile(load({"strict": False}).settings).read()

    assert found is not None
    assert above(found.settings) == 10
    assert found.problems[0].endswith("the defaults hold")


def test_no_file_at_all_is_no_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_GUARD_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    found = RuleFile(Settings()).read()

    assert found is not None
    assert found.problems == ()


def test_a_name_that_is_no_setting_is_a_problem_of_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_GUARD_STRICT", "1")
    path.write_text("[rul.error_burst]\nabove = 1\n")
    found = RuleFile(Settings()).read()

    assert found is not None
    assert ["rul.error_burst.above" in line for line in found.problems] == [True]

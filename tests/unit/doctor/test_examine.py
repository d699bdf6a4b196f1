from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_guard.doctor import examine as under_test
from otel_guard.doctor._base import Finding, Look, Status
from otel_guard.doctor.examine import examine, exit_code
from otel_guard.settings import load
from otel_guard.settings.identity import identity


def row(group: str, name: str, status: Status) -> Finding:
    return Finding(group=group, name=name, status=status)


@pytest.mark.parametrize(
    ("rows", "is_strict", "code"),
    [
        ([], False, 0),
        ([row("journal", "journal", "ok"), row("journal", "x", "absent")], True, 0),
        ([row("postgres", "postgres", "failed")], False, 69),
        ([row("postgres", "postgres", "failed"), row("collector", "collector", "failed")], False, 1),
        ([row("postgres", "postgres", "failed"), row("collector", "collector", "warning")], False, 69),
        ([row("postgres", "postgres", "failed"), row("collector", "collector", "warning")], True, 1),
        ([row("postgres", "postgres rights", "failed")], False, 1),
        ([row("collector", "collector", "warning")], False, 0),
        ([row("collector", "collector", "warning")], True, 1),
    ],
)
def test_the_exit_code_tells_postgres_alone_from_the_rest(rows: list[Finding], is_strict: bool, code: int) -> None:
    assert exit_code(rows, is_strict=is_strict) == code


def test_a_check_that_breaks_is_a_row_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def breaks(_look: Look) -> Iterator[Finding]:
        yield row("one", "first", "ok")
        raise ValueError("of the check")

    def good(_look: Look) -> Iterator[Finding]:
        yield row("two", "second", "ok")

    monkeypatch.setattr(under_test, "CHECKS", (("one", breaks), ("two", good)))
    loaded = load(environ={}, cwd=tmp_path)
    look = Look(loaded=loaded, environ={}, who=identity(loaded.settings, {}))

    assert [(finding.name, finding.status) for finding in examine(look)] == [
        ("first", "ok"),
        ("one", "failed"),
        ("second", "ok"),
    ]

import pytest

from otel_guard.cli.doctor import _shown
from otel_guard.doctor._base import Finding

LONG = "a long sentence that says what was found " * 4


def absent(name: str) -> Finding:
    return Finding(group="libraries", name=name, status="absent", detail="not installed")


FINDINGS = (
    Finding(group="libraries", name="stripe", version="16.1.0", status="ok", detail="1 span a call"),
    absent("celery"),
    Finding(group="libraries", name="redis", version="8.1", status="failed", detail="[no] span", fix="install another"),
    absent("django"),
    Finding(group="sentry", name="sentry", status="absent", detail="SENTRY_DSN is not set"),
    Finding(group="collector", name="collector", status="warning", detail=LONG, fix=LONG),
)


@pytest.mark.parametrize("columns", [80, 140])
def test_rows_stand_in_groups_and_what_is_not_installed_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    assert _shown(FINDINGS) == list(FINDINGS)

    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:6] == [
        "libraries",
        "  ✓ stripe 16.1.0: 1 span a call",
        "  ✗ redis 8.1: [no] span",
        "    -> install another",
        "  \N{EN DASH} not installed: celery, django",
        "",
    ]
    assert lines[-1] == "1 ok, 1 warnings, 1 failed"
    assert max(map(len, lines)) <= columns

import json

import pytest

from otel_guard.cli import COMMANDS, execute, help_text


def test_help_fits_80_columns_and_names_every_command_that_is_there() -> None:
    lines = help_text().splitlines()

    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if line.startswith("  ")] == [
        name for name in COMMANDS if f"  {name} " in help_text()
    ]
    assert "  errors " in help_text()


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (
            ["migrat"],
            2,
            "otel-guard: otel-guard has no command 'migrat' (did you mean migrate?): see `otel-guard --help`",
        ),
        (["errors", "--since", "3x"], 2, "otel-guard: '3x' is no span of time: write 30m, 24h or 7d"),
        (["migrate"], 2, "otel-guard: OTEL_GUARD_DSN is not set: write postgresql://user@host:5432/database into it"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, line: str
) -> None:
    monkeypatch.delenv("OTEL_GUARD_DSN", raising=False)

    assert execute(arguments) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"{line}\n")


def test_an_unreachable_postgres_is_exit_69_in_a_line_without_the_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = "s3" + "cret"
    monkeypatch.setenv("OTEL_GUARD_DSN", f"postgresql://u:{hidden}@127.0.0.1:1/x")

    assert [execute([command]) for command in ("errors", "slow", "status", "migrate")] == [69] * 4
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 4
    assert all("Connection refused: start Postgres" in line for line in err.splitlines())
    assert hidden not in err


def test_a_problem_is_an_object_with_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_GUARD_DSN", "mysql://u@h/d")

    assert execute(["errors", "--json"]) == 2
    assert json.loads(capsys.readouterr().out) == {
        "schema": "otel_guard.problem.v1",
        "problem": "OTEL_GUARD_DSN is not a Postgres URL",
        "do": "write postgresql://user@host:5432/database",
    }


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["--help"], 0), (["--version"], 0)])
def test_help_and_version_need_nothing(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int) -> None:
    assert execute(arguments) == code
    assert capsys.readouterr().out.startswith("otel-guard ")

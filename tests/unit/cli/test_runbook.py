import json
from pathlib import Path

import pytest

from otel_guard.cli import execute

DOWN = "postgresql://x@127.0.0.1:1/x"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OTEL_GUARD_CONFIG", "OTEL_GUARD_STRICT", "OTEL_GUARD_DSN", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_list_names_id_title_and_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["runbook"]) == 0
    out, err = capsys.readouterr()
    assert "high-error-rate" in out
    assert "Errors above the usual rate" in out
    assert "error_burst" in out
    assert max(map(len, out.splitlines())) <= 80
    assert err == ""


def test_without_postgres_the_steps_are_there_and_stderr_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["runbook", "high-error-rate"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("# Errors above the usual rate\n")
    assert "**Deployments**\n\nnot available\n" in out
    assert "1. **Deployed within the last hour" in out
    assert err == (
        "otel-guard: no evidence: OTEL_GUARD_DSN is not set: write postgresql://user@host:5432/database into it\n"
    )


@pytest.mark.parametrize("dsn", [DOWN, "mysql://nobody"])
def test_a_postgres_that_is_away_is_one_line(
    dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_GUARD_DSN", dsn)

    assert execute(["runbook", "key-rejected"]) == 0
    out, err = capsys.readouterr()
    assert out.count("not available\n") == 3
    assert err.splitlines()[-1].startswith("otel-guard: no evidence: ")


def test_a_rules_name_is_taken_for_its_runbook(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["runbook", "slow_queries", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "otel_guard.runbook.v1"
    assert found["runbook"]["id"] == "database-slowdown"
    assert found["runbook"]["evidence"]["inspections"] == "not available"
    assert found["runbook"]["incident_id"] is None
    assert found["runbook"]["steps"][0].startswith("1. ")


def test_the_list_as_json_has_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["runbook", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in found["runbooks"]][:2] == ["ai-provider-failure", "cache-down"]
    assert set(found["runbooks"][0]) == {"id", "title", "rules", "severity", "owner", "steps"}


@pytest.mark.parametrize(
    ("given", "meant"), [("hgh-error-rate", "high-error-rate"), ("eror_burst", "error_burst"), ("xyzzy", None)]
)
def test_an_unknown_one_exits_2_and_says_what_was_meant(
    given: str, meant: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["runbook", given]) == 2
    hint = f" (did you mean {meant}?)" if meant else ""
    assert capsys.readouterr() == (
        "",
        f"otel-guard: there is no runbook '{given}'{hint}: see `otel-guard runbook` for those there are\n",
    )


def test_an_incident_needs_postgres(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["runbook", "c7e2ab"]) == 2
    assert "incident c7e2ab is in Postgres, and OTEL_GUARD_DSN is not set" in capsys.readouterr().err

    monkeypatch.setenv("OTEL_GUARD_DSN", DOWN)

    assert execute(["runbook", "c7e2ab"]) == 69


def test_evidence_of_an_unknown_name_is_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "ops" / "runbooks").mkdir(parents=True)
    (place / "ops" / "runbooks" / "mine.md").write_text("---\nid: mine\n---\n# Mine\n{{evidence.weather}}\n")

    assert execute(["runbook", "mine"]) == 0
    out, err = capsys.readouterr()
    assert out == "# Mine\nnot available\n"
    assert "mine: there is no evidence 'weather'" in err

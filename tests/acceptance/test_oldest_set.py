"""The main thread on the oldest OpenTelemetry that our ranges allow, in an environment of its own."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import KeepingSentry, run
from tests.acceptance.site import APPLICATION
from tests.environments import ROOT, NotInstallableError, environment

CONSTRAINTS = ROOT / "constraints-oldest.txt"
ASKS = Path(__file__).with_name("oldest.py")
LIBRARIES = ("flask", "stripe", "requests", "sqlalchemy", "openai", "httpx2")
# Path: (status, context, severity, handled, Sentry events)
PAGES: dict[str, tuple[int, str, str, bool, int]] = {
    "/pay/pm_standin_server_error": (500, "payment", "high", False, 1),
    "/pay-or-not/pm_card_visa_chargeDeclined": (402, "payment", "low", True, 0),
    "/stock": (500, "database", "high", False, 1),
    "/bug": (500, "api", "high", False, 1),
    "/summary": (500, "ai", "high", False, 1),
}
OK = "/pay/pm_card_visa"
ROWS = "SELECT trace_id, context, severity, handled, route, repeat_count FROM otel_guard.system_errors ORDER BY seq"

Query = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def oldest() -> Path:
    """The scripts of a virtual environment with this checkout and the oldest set."""
    try:
        return environment("oldest", LIBRARIES, constraints=CONSTRAINTS)
    except NotInstallableError as error:
        pytest.skip(f"the oldest set could not be installed: {error}")


def _pinned() -> set[str]:
    return {line for line in CONSTRAINTS.read_text(encoding="utf-8").split() if "==" in line}


def test_each_failure_is_one_row_of_its_own_trace_on_the_oldest_set_and_nothing_is_said(
    oldest: Path, env: dict[str, str], query: Query, sentry_server: KeepingSentry, tmp_path: Path
) -> None:
    installed = run([str(oldest / "python"), "-m", "pip", "list", "--format=freeze"], env, tmp_path).out.split()
    assert _pinned() <= set(installed), _pinned() - set(installed)

    traces = {path: secrets.token_hex(16) for path in (*PAGES, OK)}
    asks = [f"{path}={trace_id}" for path, trace_id in traces.items()]
    command = [str(oldest / "otel-guard"), "run", "--", str(oldest / "python"), str(ASKS), *asks]
    ended = run(command, env, APPLICATION)

    assert ended.code == 0, ended.err
    assert ended.said("status") == [*(f"{path} {page[0]}" for path, page in PAGES.items()), f"{OK} 200"], ended.err
    assert "otel-guard" not in ended.err, ended.err
    rows = query(ROWS)
    judged = {row["trace_id"]: (row["context"], row["severity"], row["handled"]) for row in rows}
    assert len(rows) == len(PAGES), rows
    assert judged == {traces[path]: page[1:4] for path, page in PAGES.items()}
    assert all(row["repeat_count"] == 1 and row["route"] for row in rows), rows
    events = {trace_id: len(ids) for trace_id, ids in sentry_server.ids_by_trace().items()}
    assert events == {traces[path]: page[4] for path, page in PAGES.items() if page[4]}

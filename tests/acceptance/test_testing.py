"""A user's own tests, run by pytest in a process of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "testing.md"
LIMIT_S = 60.0

SHOP = """
import otel_guard

{configure}


class OutOfStock(Exception):
    pass


@otel_guard.watch("order", context="payment")
def order(amount):
    if amount > 3:
        raise OutOfStock(f"{{amount}} ordered")
    return amount
"""
TESTS = """
import threading

import otel_guard
import otel_guard.testing
import psycopg
import pytest
import shop


def test_a_good_order():
    with otel_guard.testing.recorded() as records:
        assert shop.order(2) == 2
    assert records == []


@pytest.mark.parametrize("amount", range(4, 24))
def test_an_order_of_too_many(amount):
    with otel_guard.testing.recorded() as records, pytest.raises(shop.OutOfStock):
        shop.order(amount)
    (record,) = records
    assert record.context == "payment"
    assert record.message == f"{amount} ordered"


def test_reported_by_hand():
    with otel_guard.testing.recorded() as records:
        try:
            shop.order(9)
        except shop.OutOfStock as error:
            otel_guard.capture_error(error, severity="critical", metadata={"order": 9})
    (record,) = records
    assert (record.severity, record.metadata["order"]) == ("critical", 9)


def test_afterwards_all_is_as_before():
    before = {thread.name for thread in threading.enumerate()}
    with otel_guard.testing.recorded():
        pass
    assert {thread.name for thread in threading.enumerate()} == before
"""


def pytest_in(folder: Path, **variables: str) -> str:
    given = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SENTRY_"))}
    environ = given | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])} | variables
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("configure", ["", "otel_guard.configure()"])
def test_a_project_s_tests_see_what_was_recorded(tmp_path: Path, configure: str) -> None:
    (tmp_path / "shop.py").write_text(SHOP.format(configure=configure))
    (tmp_path / "test_shop.py").write_text(TESTS)

    said = pytest_in(tmp_path, OTEL_TRACES_EXPORTER="none", OTEL_METRICS_EXPORTER="none", OTEL_GUARD_CONSOLE="off")

    assert "23 passed" in said


def test_with_a_dsn_nothing_of_the_tests_reaches_postgres(tmp_path: Path, dsn: str) -> None:
    (tmp_path / "shop.py").write_text(SHOP.format(configure="otel_guard.configure()"))
    (tmp_path / "test_shop.py").write_text(TESTS)

    journal = tmp_path / "journal"
    pytest_in(
        tmp_path,
        OTEL_TRACES_EXPORTER="none",
        OTEL_METRICS_EXPORTER="none",
        OTEL_GUARD_DSN=dsn,
        OTEL_GUARD_JOURNAL_DIR=str(journal),
    )

    with psycopg.connect(dsn) as database:
        assert database.execute("SELECT count(*) FROM otel_guard.system_errors").fetchone() == (0,)


def test_the_page_s_example_runs(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "test_example.py").write_text(example)

    assert "2 passed" in pytest_in(tmp_path)

"""SQLAlchemy 1.4, which applications out there still have: legacy and future engines, psycopg2, asyncpg, sqlite."""

from pathlib import Path

from tests.integration.instrumentation.test_sqlalchemy_versions import SHOWS, installed, run

VERSION = "1.4.54"


def test_every_assertion_holds_on_sqlalchemy_14() -> None:
    folder = installed("sqlalchemy14", f"sqlalchemy=={VERSION}", "greenlet")
    done = run(
        folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__).with_name("on_sqlalchemy_14.py"))
    )

    assert run(folder, "-c", SHOWS).stdout.strip() == VERSION
    assert done.returncode == 0, done.stdout[-4000:]

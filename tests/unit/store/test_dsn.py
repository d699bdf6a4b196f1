import pytest

from otel_guard.core.exceptions import SettingsError
from otel_guard.store.dsn import normalise, target

HIDDEN = "s3" + "cret"


@pytest.mark.parametrize(
    ("dsn", "plain"),
    [
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgres://u@h/d", "postgresql://u@h/d"),
        (" postgresql+psycopg2://u:p@h:6543/d?sslmode=require\n", "postgresql://u:p@h:6543/d?sslmode=require"),
        ("POSTGRES+asyncpg://u@h/d", "postgresql://u@h/d"),
    ],
)
def test_every_spelling_becomes_libpqs(dsn: str, plain: str) -> None:
    assert normalise(dsn) == plain


@pytest.mark.parametrize(
    ("dsn", "do"),
    [
        (f"mysql://u:{HIDDEN}@h/d", "is not a Postgres URL: write postgresql://"),
        (f"host=h password={HIDDEN}", "is not a Postgres URL: write postgresql://"),
        ("not a url", "is not a Postgres URL: write postgresql://"),
        ("", "is not a Postgres URL: write postgresql://"),
        (f"postgresql://u:%{HIDDEN}@h/d", "as %XX"),
        (f"postgresql://u:{HIDDEN}@h/d?ssl=require", "has the parameter ssl, which Postgres does not know: remove it"),
    ],
)
def test_a_wrong_one_is_said_without_its_password(dsn: str, do: str) -> None:
    with pytest.raises(SettingsError) as caught:
        normalise(dsn)

    assert do in str(caught.value)
    assert str(caught.value).startswith("OTEL_GUARD_DSN ")
    assert HIDDEN not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("dsn", "environment", "expected"),
    [
        ("postgresql://u:p@db.local:6543/shop", {}, "db.local:6543/shop"),
        ("postgresql://u@db.local/shop", {}, "db.local:5432/shop"),
        ("postgres://u@db.local/shop?connect_timeout=3", {"PGPORT": "7000"}, "db.local:7000/shop"),
        ("postgresql://u@db.local", {}, "db.local:5432/u"),
        ("postgresql:///shop", {"PGHOST": "elsewhere"}, "elsewhere:5432/shop"),
        ("postgresql:///shop?host=/run/pg", {}, "/run/pg:5432/shop"),
        ("postgresql://[::1]:5433/shop", {}, "::1:5433/shop"),
        ("postgresql://a:1,b:2/shop", {}, "a,b:1,2/shop"),
    ],
)
def test_the_target_is_the_one_libpq_resolves(
    monkeypatch: pytest.MonkeyPatch, dsn: str, environment: dict[str, str], expected: str
) -> None:
    for name in ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGHOSTADDR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert target(dsn) == expected

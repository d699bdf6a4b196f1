import psycopg
import pytest

from otel_guard.core.exceptions import SchemaError, StoreUnavailableError
from otel_guard.store.errors import RecordRefusedError, translated

WHERE = "h:5432/d"


def answer(state: str) -> psycopg.Error:
    return psycopg.errors.lookup(state)(f"text of {state}")


@pytest.mark.parametrize(
    "state",
    [
        "08006",
        "40001",
        "40P01",
        "53100",
        "53300",
        "57014",
        "57P01",
        "57P03",
        "58030",
        "XX000",
        "55P03",
        "25006",
        "23505",
    ],
)
def test_what_passes_is_tried_again(state: str) -> None:
    assert type(translated(answer(state), WHERE)) is StoreUnavailableError


@pytest.mark.parametrize(
    ("state", "do"),
    [
        ("42P01", "run `otel-guard migrate`"),
        ("3F000", "run `otel-guard migrate`"),
        ("42703", "of the newest otel-guard"),
        ("42804", "what `otel-guard migrate` makes of it"),
        ("42501", "own the schema"),
        ("23502", "drop that NOT NULL"),
        ("28P01", "correct role and password in OTEL_GUARD_DSN"),
        ("3D000", "create the database"),
    ],
)
def test_what_a_person_must_cure_says_how(state: str, do: str) -> None:
    ours = translated(answer(state), WHERE)

    assert type(ours) is SchemaError
    assert str(ours).startswith(f"Postgres ({WHERE}): text of {state}: ")
    assert do in str(ours)


@pytest.mark.parametrize(
    "error",
    [
        answer("22021"),
        answer("22P05"),
        answer("22003"),
        answer("54000"),
        answer("23514"),
        psycopg.DataError("client"),
        psycopg.ProgrammingError("cannot adapt type"),
        "a\udce9".encode,
        RecursionError("deep"),
    ],
)
def test_a_record_at_fault_is_refused(error: object) -> None:
    if callable(error):
        with pytest.raises(UnicodeEncodeError) as caught:
            error("utf-8")
        error = caught.value
    assert isinstance(error, Exception)
    assert type(translated(error, WHERE)) is RecordRefusedError


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            'connection to server at "127.0.0.1", port 1 failed: Connection refused\n\tIs the server running on that host?',
            "Postgres (h:5432/d): Connection refused",
        ),
        (
            'connection failed: connection to server at "::1", port 1 failed: FATAL:  password authentication failed for user "u"',
            'Postgres (h:5432/d): FATAL: password authentication failed for user "u": correct role and password in OTEL_GUARD_DSN',
        ),
        (
            "Multiple connection attempts failed. All failures were:\n- host: 'a': one\n- host: 'b': connection timeout expired\n\tmore",
            "Postgres (h:5432/d): host: 'b': connection timeout expired",
        ),
        ('FATAL:  database "d" does not exist', None),
        ("", "Postgres (h:5432/d): OperationalError"),
    ],
)
def test_trouble_at_connecting_is_one_line(text: str, line: str | None) -> None:
    ours = translated(psycopg.OperationalError(text), WHERE)

    assert type(ours) is StoreUnavailableError
    assert "\n" not in str(ours)
    if line is None:
        assert "create the database" in str(ours)
    else:
        assert str(ours) == line

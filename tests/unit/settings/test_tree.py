"""Every setting has one name, and by one law its variable and keyword."""

import msgspec
import pytest

from otel_guard.settings import Settings, load
from otel_guard.settings.tree import Row, rows

SECRETS = {"dsn", "secret_key", "deadman_url", "health.token", "dashboard.token"}


@pytest.mark.parametrize(
    ("name", "variable", "keyword"),
    [
        ("dsn", "OTEL_GUARD_DSN", "dsn"),
        ("journal.dir", "OTEL_GUARD_JOURNAL_DIR", "journal_dir"),
        ("slow.database_ms", "OTEL_GUARD_SLOW_DATABASE_MS", "slow_database_ms"),
        ("redaction.allow_keys", "OTEL_GUARD_REDACTION_ALLOW_KEYS", "redaction_allow_keys"),
    ],
)
def test_variable_and_keyword_follow_from_the_name(name: str, variable: str, keyword: str) -> None:
    row = next(row for row in rows() if row.name == name)

    assert (row.variable, row.keyword) == (variable, keyword)


def test_no_two_settings_share_a_variable() -> None:
    assert len({row.variable for row in rows()}) == len({row.keyword for row in rows()}) == len(rows())


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_every_default_is_of_its_own_type(row: Row) -> None:
    assert msgspec.convert(row.default, row.type) == row.default


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_every_setting_can_be_given_by_its_variable(row: Row) -> None:
    loaded = load({}, {row.variable: as_text(row.default)}) if as_text(row.default) else load({}, {})

    assert loaded.problems == ()
    assert value_of(loaded.settings, row.name) == row.default


def test_exactly_the_secrets_are_secret() -> None:
    assert {row.name for row in rows() if row.is_secret} == SECRETS


def test_settings_cannot_be_changed() -> None:
    settings = Settings()

    with pytest.raises(AttributeError):
        settings.enabled = False  # type: ignore[misc]


def as_text(value: object) -> str:
    if value is None:
        return ""
    return ",".join(value) if isinstance(value, tuple) else str(value).lower()


def value_of(settings: Settings, name: str) -> object:
    found: object = settings
    for part in name.split("."):
        found = getattr(found, part)
    return found

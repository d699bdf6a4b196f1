"""What the probes need: the `[check.*]` tables."""

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

from otel_guard.settings.table import Table, any_of, is_web_address, near, tables
from otel_guard.settings.tree import Settings

MailProvider = Literal["resend", "sendgrid"]
MAIL_PROVIDERS: Final[tuple[MailProvider, ...]] = get_args(MailProvider)
_OFF: Final = "no probe till then"
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:]{2,45}\](:\d{1,5})?", re.ASCII)
_BUCKET: Final = re.compile(r"[A-Za-z0-9._-]{1,255}", re.ASCII)
_DATABASES: Final = ("postgres", "postgresql")
_CACHES: Final = ("redis", "rediss", "valkey", "valkeys", "unix", "memcached")


class UrlCheck(Struct, frozen=True):
    """A server known by its address, which is a secret."""

    url: str

    def __repr__(self) -> str:
        return "UrlCheck()"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


class KeyCheck(Struct, frozen=True, kw_only=True):
    """A provider asked with a key; *url*: another base than its own."""

    key: str
    url: str | None = None

    def __repr__(self) -> str:
        return f"KeyCheck(url={self.url!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("url", self.url)]


class StorageCheck(Struct, frozen=True, kw_only=True):
    """A bucket; *url*: another base than S3's."""

    bucket: str
    url: str | None = None


class EmailCheck(Struct, frozen=True, kw_only=True):
    """A mail server (*host*, perhaps with `:port`), or a provider asked with a key."""

    host: str | None = None
    provider: MailProvider | None = None
    key: str | None = None
    url: str | None = None

    def __repr__(self) -> str:
        return f"EmailCheck(host={self.host!r}, provider={self.provider!r}, url={self.url!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("host", self.host), ("provider", self.provider), ("url", self.url)]


class Checks(Struct, frozen=True, kw_only=True):
    """One for each table that is there and whole; None: passive only. And what is wrong, `path: what; cure`."""

    database: UrlCheck | None = None
    payment: KeyCheck | None = None
    openai: KeyCheck | None = None
    anthropic: KeyCheck | None = None
    gemini: KeyCheck | None = None
    storage: StorageCheck | None = None
    email: EmailCheck | None = None
    cache: UrlCheck | None = None
    problems: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()  # those of the problems that are the environment's, not the file's


NAMES: Final = ("database", "payment", "openai", "anthropic", "gemini", "storage", "email", "cache")


def checks(settings: Settings, environ: Mapping[str, str]) -> Checks:
    """Read `[check.*]`; a bad one makes no probe; never raises."""
    problems: list[str] = []
    unset: list[str] = []
    found: dict[str, object] = {}
    for name, values in tables(settings.tables, "check", problems).items():
        table = Table(f"check.{name}", values, is_secret=True)
        if name in NAMES:
            found[name] = _check(name, table, environ)
            problems += table.problems
            unset += table.unset
        else:
            meant = near(name, NAMES)
            problems.append(
                f"check.{name}: unknown check; " + (f'did you mean "{meant}"?' if meant else f"write {any_of(NAMES)}")
            )
    return Checks(**found, problems=tuple(problems), unset=tuple(unset))  # type: ignore[arg-type]


def _check(name: str, table: Table, environ: Mapping[str, str]) -> Struct | None:
    match name:
        case "database":
            return _url_check(table, environ, _DATABASES)
        case "cache":
            return _url_check(table, environ, _CACHES)
        case "storage":
            return _storage(table)
        case "email":
            return _email(table, environ)
    table.known(("key_env", "url"))
    key, url = _key(table, environ), _url(table)
    return KeyCheck(key=key, url=url) if key and _is_good(table) else None


def _url_check(table: Table, environ: Mapping[str, str], schemes: tuple[str, ...]) -> UrlCheck | None:
    table.known(("url_env",), {"url": "a secret stands in no file; write url_env and the name of a variable"})
    if "url" not in table.values:
        _needed(table, "url_env", "the name of the variable that holds the address")
    url = table.variable("url_env", environ, _OFF)
    if url and url.partition("://")[0].partition("+")[0] not in schemes:
        table.problem("url_env", "the variable holds another kind of address", f"write {schemes[0]}://…, {_OFF}")
        return None
    return UrlCheck(url) if url else None


def _storage(table: Table) -> StorageCheck | None:
    table.known(("bucket", "url"))
    _needed(table, "bucket", "the name of the bucket")
    bucket, url = table.text("bucket"), _url(table)
    if bucket and not _BUCKET.fullmatch(bucket):
        table.problem("bucket", "not the name of a bucket", "write the name alone, and the server into url")
    return StorageCheck(bucket=bucket, url=url) if bucket and _is_good(table) else None


def _email(table: Table, environ: Mapping[str, str]) -> EmailCheck | None:
    table.known(("host", "provider", "key_env", "url"))
    if "host" in table.values:
        for other in ("provider", "key_env", "url"):
            if other in table.values:
                table.problem(other, "host is given too", "leave one of them out")
        host = table.text("host")
        if host and not _HOST.fullmatch(host):
            table.problem("host", "not the name of a server", "write smtp.example.com or smtp.example.com:587")
        return EmailCheck(host=host) if host and _is_good(table) else None
    if not {"provider", "key_env"} & set(table.values):
        table.problem("host", "missing", "write host, or provider and key_env")
        return None
    _needed(table, "provider", any_of(MAIL_PROVIDERS))
    provider = table.one_of("provider", MAIL_PROVIDERS, "mail provider that can be asked")
    key, base = _key(table, environ), _url(table)
    return EmailCheck(provider=provider, key=key, url=base) if provider and key and _is_good(table) else None


def _key(table: Table, environ: Mapping[str, str]) -> str | None:
    _needed(table, "key_env", "the name of the variable that holds the key")
    return table.variable("key_env", environ, _OFF)


def _url(table: Table) -> str | None:
    url = table.text("url")
    if url and (not is_web_address(url) or "@" in url):
        table.problem("url", "not an http or https address without a password", "write https://… and the host")
    return url


def _needed(table: Table, key: str, what: str) -> None:
    if key not in table.values:
        table.problem(key, "missing", f"write {what}, {_OFF}")


def _is_good(table: Table) -> bool:
    """A key that has no meaning here makes a problem, not a missing probe."""
    return all("unknown key" in problem for problem in table.problems)

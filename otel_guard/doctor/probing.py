"""Which libraries have a probe, and what must come of it."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

_HERE: Final = "otel_guard.doctor.probes."
_HTTP: Final = "http.client.request.duration"
_SERVED: Final = "http.server.request.duration"
_EMAIL: Final = "email.client.operation.duration"
_AI: Final = "gen_ai.client.operation.duration"
_DATABASE: Final = "db.client.operation.duration"


class Probe(Struct, frozen=True, kw_only=True):
    """One good and one failing call: each is one span of *kind*, together they move *metric*."""

    file: str
    metric: str | None
    kind: str = "CLIENT"
    distribution: str = ""  # where its name is not the library's
    has_headers: bool = False  # its server sees whether `traceparent` goes along


def _probe(
    file: str, metric: str | None, *, kind: str = "CLIENT", distribution: str = "", has_headers: bool = False
) -> Probe:
    return Probe(file=_HERE + file, metric=metric, kind=kind, distribution=distribution, has_headers=has_headers)


# By the names of `instrumentation/_libraries.LIBRARIES`; one that is not here is watched, but not probed.
PROBES: Final[Mapping[str, Probe]] = {
    "aiosmtplib": _probe("aiosmtplib", _EMAIL),
    "anthropic": _probe("anthropic", _AI),
    "asyncpg": _probe("asyncpg", _DATABASE),
    "botocore": _probe("botocore", None),
    "celery": _probe("celery", None, kind="CONSUMER"),
    "django": _probe("django", _SERVED, kind="SERVER"),
    "fastapi": _probe("fastapi", _SERVED, kind="SERVER"),
    "flask": _probe("flask", _SERVED, kind="SERVER"),
    "google-genai": _probe("google_genai", _AI),
    "httpx": _probe("httpx", _HTTP, has_headers=True),
    "httpx2": _probe("httpx2", _HTTP, has_headers=True),
    "openai": _probe("openai", _AI),
    "psycopg": _probe("psycopg", _DATABASE),
    "psycopg2": _probe("psycopg2", _DATABASE, distribution="psycopg2-binary"),
    "redis": _probe("redis", _DATABASE),
    "requests": _probe("requests", _HTTP, has_headers=True),
    "resend": _probe("resend", _EMAIL),
    "sendgrid": _probe("sendgrid", _EMAIL),
    "smtplib": _probe("smtplib", _EMAIL),
    "sqlalchemy": _probe("sqlalchemy", _DATABASE),
    "sqlite3": _probe("sqlite3", _DATABASE),
    "starlette": _probe("starlette", _SERVED, kind="SERVER"),
    "stripe": _probe("stripe", "payment.client.operation.duration"),
}


class Asked(Struct, frozen=True, kw_only=True):
    """What the child is to do."""

    names: tuple[str, ...]
    off: tuple[str, ...] = ()
    on: tuple[str, ...] = ()


class Probed(Struct, frozen=True, kw_only=True):
    """What came of one library: the engine's word, and what arrived of a good and a failing call."""

    name: str
    status: str = ""  # of the engine: watched, partial …
    detail: str = ""
    requires: str = ""
    good: tuple[str, ...] = ()  # the names of its spans
    failing: tuple[str, ...] = ()
    is_error: bool = False
    scopes: tuple[str, ...] = ()  # who made the spans
    records: int = 0  # of the failing call
    noise: int = 0  # of the good one
    is_measured: bool = False
    is_traced_on: bool | None = None  # `traceparent` went along
    trouble: str = ""  # of the probe itself
    said: tuple[str, ...] = ()  # what the guard logged meanwhile

"""The AI providers: their list of models, which proves key and edge but no inference."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from otel_guard.core.dependency import provider_row
from otel_guard.health.checks._base import Asks, Check, Found, http_check
from otel_guard.runtime.http import request

TIMEOUT_S: Final = 3.0
EVERY_S: Final = 60.0


class _Provider(Struct, frozen=True, kw_only=True):
    system: str  # OTel's name
    base: str
    path: str
    header: str
    prefix: str = ""
    also: Mapping[str, str] = {}


# By the name of their `[check.*]` table.
PROVIDERS: Final = {
    "openai": _Provider(
        system="openai",
        base="https://api.openai.com",
        path="/v1/models",
        header="Authorization",
        prefix="Bearer ",
    ),
    "anthropic": _Provider(
        system="anthropic",
        base="https://api.anthropic.com",
        path="/v1/models?limit=1",
        header="x-api-key",
        also={"anthropic-version": "2023-06-01"},
    ),
    "gemini": _Provider(
        system="gcp.gemini",
        base="https://generativelanguage.googleapis.com",
        path="/v1beta/models?pageSize=1",
        header="x-goog-api-key",
    ),
}


def check(provider: str, key: str, base: str | None = None, *, ask: Asks = request) -> Check:
    """The check of `[check.openai]`, `[check.anthropic]` or `[check.gemini]`."""
    asked = PROVIDERS[provider]
    url = _url(asked, base)
    headers = {asked.header: f"{asked.prefix}{key}", **asked.also}

    def run() -> Found:
        return http_check("GET", url, headers, TIMEOUT_S, ask=ask)

    return Check(name=provider_row(asked.system), run=run, timeout_s=TIMEOUT_S, every_s=EVERY_S, is_deciding=False)


def _url(asked: _Provider, base: str | None) -> str:
    root = (base or asked.base).rstrip("/")
    version = asked.path.split("/")[1]
    # SDKs take a base with the version in it; both forms are understood.
    return root.removesuffix(f"/{version}") + asked.path

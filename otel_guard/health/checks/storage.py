"""Object storage: HEAD of the bucket, signed with the credentials of the environment where there are any."""

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from otel_guard.core import sigv4
from otel_guard.core.dependency import STORAGE
from otel_guard.health.checks._base import ERRORS, FORBIDDEN, Asks, Check, Found
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.http import NoAnswerError, request

TIMEOUT_S: Final = 3.0
EVERY_S: Final = 60.0
REGION: Final = "us-east-1"
NOT_FOUND: Final = 404
SERVER_ERRORS: Final = 500


def check(
    bucket: str, base: str | None = None, *, environ: Mapping[str, str] = os.environ, ask: Asks = request
) -> Check:
    """The check of `[check.storage]`; *base* is another S3-compatible service."""
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or REGION
    url = f"{base.rstrip('/')}/{bucket}" if base else f"https://{bucket}.s3.{region}.amazonaws.com/"

    def run() -> Found:
        signed = _signed(url, region, environ)
        try:
            answer = ask("HEAD", url, signed, TIMEOUT_S)
        except NoAnswerError as error:
            return Found("unhealthy", f"{urlsplit(url).hostname}: {error}")
        return _found(answer.status, is_signed=bool(signed))

    return Check(name=STORAGE, run=run, timeout_s=TIMEOUT_S, every_s=EVERY_S)


def _found(status: int, *, is_signed: bool) -> Found:
    if status < ERRORS or (status == FORBIDDEN and not is_signed):
        return Found("healthy")  # who asks without a key is refused by a service that works
    if status == FORBIDDEN:
        return Found("degraded", "credentials")
    if status == NOT_FOUND:
        return Found("unhealthy", "no such bucket")
    return Found("unhealthy" if status >= SERVER_ERRORS else "degraded", f"HTTP {status}")


def _signed(url: str, region: str, environ: Mapping[str, str]) -> dict[str, str]:
    key_id, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if not key_id or not secret:
        return {}
    return sigv4.headers(
        "HEAD",
        url,
        sigv4.Credentials(key_id=key_id, secret=secret, token=environ.get("AWS_SESSION_TOKEN")),
        region=region,
        now_ms=SYSTEM.now_ms(),
    )

"""Sentry: its DSN can be read, and its project takes our key."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from otel_guard.doctor._base import Finding, Look, Status, skipped
from otel_guard.runtime.http import NoAnswerError, post
from otel_guard.sinks.sentry import check_dsn

GROUP: Final = "sentry"
ASK_S: Final = 5.0
EMPTY: Final = b"{}\n"  # an envelope without items: a key is judged, no event is made
REFUSED: Final = {401, 403, 404}
SERVER_ERROR: Final = 500
LIMITED: Final = 429


def check(look: Look) -> Iterator[Finding]:
    """Send it an envelope without items."""
    dsn = look.environ.get("SENTRY_DSN", "").strip()
    if look.settings.sentry == "off":
        yield _row("absent", "switched off: sentry is off")
    elif not dsn:
        yield _row("absent", "SENTRY_DSN is not set: only an application's own client is used")
    elif why := check_dsn(dsn):
        what, _, cure = why.partition(": ")
        yield _row("failed", what, cure)
    elif not look.is_network_allowed:
        yield skipped(GROUP, "sentry")
    else:
        yield _asked(dsn)


def _asked(dsn: str) -> Finding:
    parts = urlsplit(dsn)
    prefix, _, project = parts.path.rpartition("/")
    host = parts.netloc.rpartition("@")[2]
    url = f"{parts.scheme}://{host}{prefix}/api/{project}/envelope/"
    auth = f"Sentry sentry_version=7, sentry_client=otel-guard-doctor/1, sentry_key={parts.username}"
    try:
        answer = post(url, EMPTY, {"Content-Type": "application/x-sentry-envelope", "X-Sentry-Auth": auth}, ASK_S)
    except NoAnswerError:
        return _row(
            "failed", f"{host} does not answer; records wait", "see that this machine reaches it, or correct SENTRY_DSN"
        )
    if answer.status in REFUSED:
        return _row(
            "failed", f"{host} answers {answer.status}: it does not know the key or the project", "correct SENTRY_DSN"
        )
    if answer.status >= SERVER_ERROR or answer.status == LIMITED:
        return _row("warning", f"{host} answers {answer.status}; records wait", "try again later")
    return _row("ok", f"{host} takes the key of project {project}")


def _row(status: Status, detail: str, fix: str = "") -> Finding:
    return Finding(group=GROUP, name="sentry", status=status, detail=detail, fix=fix)

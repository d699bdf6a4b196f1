"""Email: an SMTP server's greeting without logging in, or an API provider's answer to its key."""

import smtplib
import ssl
from contextlib import AbstractContextManager, nullcontext
from typing import Final
from urllib.parse import urlsplit

from otel_guard.core.dependency import EMAIL
from otel_guard.health.checks._base import FORBIDDEN, UNAUTHORIZED, Asks, Check, Found, http_check
from otel_guard.runtime.deadline import socket_deadline
from otel_guard.runtime.http import Response, request

TIMEOUT_S: Final = 5.0
EVERY_S: Final = 120.0
TLS_PORT: Final = 465
SUBMISSION: Final = 587
ACTION_OK: Final = 250  # RFC 5321
# By provider: base, path.
APIS: Final = {
    "resend": ("https://api.resend.com", "/domains"),
    "sendgrid": ("https://api.sendgrid.com", "/v3/scopes"),
}


def check_host(host: str) -> Check:
    """The check of `[check.email] host`: a name or an address, perhaps with `:port`."""
    parts = urlsplit(f"//{host}")
    name, port = parts.hostname or host, parts.port or SUBMISSION

    def run() -> Found:
        return _smtp(name, port)

    return Check(name=EMAIL, run=run, timeout_s=TIMEOUT_S, every_s=EVERY_S)


def check_api(provider: str, key: str, base: str | None = None, *, ask: Asks = request) -> Check:
    """The check of `[check.email] provider`."""
    default, path = APIS[provider]
    url = (base or default).rstrip("/") + path

    def run() -> Found:
        return http_check("GET", url, {"Authorization": f"Bearer {key}"}, TIMEOUT_S, reachable=_is_for_sending, ask=ask)

    return Check(name=EMAIL, run=run, timeout_s=TIMEOUT_S, every_s=EVERY_S)


def _is_for_sending(answer: Response) -> bool:
    """Whether a key was refused because it may only send: Resend says so, SendGrid answers 403."""
    return answer.status == FORBIDDEN or (answer.status == UNAUTHORIZED and b"restricted_api_key" in answer.body)


def _smtp(host: str, port: int) -> Found:
    """TLS where it is offered, EHLO, NOOP; no AUTH: who logs in each two minutes is locked out one day."""
    secure = ssl.create_default_context()
    try:
        with _connected(host, port, secure) as server, _cut(server):
            server.ehlo()
            if port != TLS_PORT and server.has_extn("starttls"):
                server.starttls(context=secure)
                server.ehlo()
            code, _ = server.noop()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return Found("unhealthy", f"{host}:{port}: {type(error).__name__}")
    return Found("healthy") if code == ACTION_OK else Found("degraded", f"{host}:{port}: {code}")


def _connected(host: str, port: int, secure: ssl.SSLContext) -> smtplib.SMTP:
    if port == TLS_PORT:
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=secure)
    return smtplib.SMTP(host, port, timeout=TIMEOUT_S)


def _cut(server: smtplib.SMTP) -> AbstractContextManager[None]:
    return socket_deadline(server.sock.fileno(), TIMEOUT_S) if server.sock is not None else nullcontext()

"""Signed links: who holds one may do one thing to one incident for 24 h, without a login."""

import base64
import hashlib
import hmac
from typing import Final
from urllib.parse import urlencode

VALID_MS: Final = 24 * 3600 * 1000
KEY_BYTES: Final = 32
ACKNOWLEDGE: Final = "acknowledge"
# The key signs sessions too: what it signs says what for.
_PURPOSE: Final = "otel_guard.link.v1"


def sign(secret_key: str, incident_id: str, action: str, expires_ms: int) -> str:
    """The signature, 43 characters that need no quoting in a URL (RFC 2104, RFC 4648 section 5)."""
    said = "\n".join((_PURPOSE, incident_id.lower(), action, str(expires_ms)))
    digest = hmac.digest(secret_key.encode(), said.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def check(secret_key: str, incident_id: str, action: str, expires_ms: int, signature: str, now_ms: int) -> bool:
    """Whether *signature* is ours for just this, and not expired; takes the same time whatever is wrong with it."""
    wanted = sign(secret_key, incident_id, action, expires_ms)
    is_ours = hmac.compare_digest(wanted.encode(), signature.encode(errors="replace"))
    return is_ours and now_ms < expires_ms


def acknowledge_url(url: str | None, secret_key: str | None, incident_id: str, now_ms: int) -> str | None:
    """The page below *url*, the dashboard's address, that acknowledges; None without it or without a key of 32 bytes."""
    if not url or secret_key is None or not is_key(secret_key):
        return None
    expires_ms = now_ms + VALID_MS
    query = urlencode({"expires": expires_ms, "signature": sign(secret_key, incident_id, ACKNOWLEDGE, expires_ms)})
    return f"{url.rstrip('/')}/alerts/{incident_id}/{ACKNOWLEDGE}?{query}"


def is_key(secret_key: str | None) -> bool:
    """Whether it is long enough to sign with."""
    return secret_key is not None and len(secret_key.encode()) >= KEY_BYTES

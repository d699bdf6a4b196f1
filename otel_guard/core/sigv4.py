"""AWS Signature Version 4 of a request to S3 that has no body."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from msgspec import Struct

SERVICE: Final = "s3"
_EMPTY: Final = hashlib.sha256(b"").hexdigest()


class Credentials(Struct, frozen=True, kw_only=True):
    """A key and its secret; *token* of a temporary one."""

    key_id: str
    secret: str
    token: str | None = None


def headers(method: str, url: str, credentials: Credentials, *, region: str, now_ms: int) -> dict[str, str]:
    """The headers that sign *method* of *url*."""
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    stamp, day = f"{at:%Y%m%dT%H%M%SZ}", f"{at:%Y%m%d}"
    parts = urlsplit(url)
    signed = {"host": parts.netloc, "x-amz-content-sha256": _EMPTY, "x-amz-date": stamp}
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)), quote_via=quote)
    canonical = "\n".join((method, quote(parts.path or "/"), query, lines, names, _EMPTY))
    scope = f"{day}/{region}/{SERVICE}/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    signature = hmac.new(_key(credentials.secret, day, region), text.encode(), hashlib.sha256).hexdigest()
    sent = {name: value for name, value in signed.items() if name != "host"}
    sent["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return sent


def _key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, SERVICE, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key

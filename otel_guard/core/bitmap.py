"""Distinct users by linear counting: 4,096 bits that can be OR-ed over processes (mean error 1.3 % at 5,000)."""

import hashlib
from base64 import b64decode, b64encode
from math import log
from typing import Final

BITS: Final = 4096
_BYTES: Final = BITS // 8


def bit_of(user_id: str) -> int:
    """The bitmap of one user; only a hash of 12 bits is kept of the id."""
    digest = hashlib.blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=2).digest()
    return 1 << (int.from_bytes(digest, "big") % BITS)


def estimate(bitmap: int) -> int:
    """About how many users set *bitmap*; full, it says no more than 34,070."""
    free = BITS - bitmap.bit_count()
    return round(-BITS * log(max(free, 1) / BITS))


def encode(bitmap: int) -> str:
    """As text, for JSON."""
    return b64encode(bitmap.to_bytes(_BYTES, "big")).decode()


def decode(text: str) -> int:
    """From text; 0 of what is none."""
    try:
        return int.from_bytes(b64decode(text, validate=True), "big") & ((1 << BITS) - 1)
    except ValueError:
        return 0

"""Ids that carry their time: UUIDv7 (RFC 9562, section 5.7)."""

import os
from typing import Final

# The variant's two bits are 10: the first digit of the fourth group keeps two random bits.
_VARIANTS: Final = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def uuid7(now_ms: int) -> str:
    """A new id in text form: 48 bits of Unix milliseconds, then 74 random bits."""
    time, random = f"{now_ms & 0xFFFF_FFFF_FFFF:012x}", os.urandom(10).hex()
    return f"{time[:8]}-{time[8:]}-7{random[:3]}-{_VARIANTS[random[3]]}{random[4:7]}-{random[7:19]}"

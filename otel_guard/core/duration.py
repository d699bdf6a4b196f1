"""Spans of time as people write them in the rule file, and as we show them."""

import re
from typing import Final

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_FORM: Final = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_SHOWN: Final = ((172_800, 86_400, "d"), (7200, 3600, "h"), (120, 60, "min"))


def seconds(text: str) -> float | None:
    """Seconds of `90s`, `10m`, `1h`, `7d`, `2w`; None if *text* is none of these."""
    found = _FORM.fullmatch(text.strip().lower())
    return float(int(found[1]) * _UNITS[found[2]]) if found else None


def shown(seconds: float) -> str:
    """*seconds* in words: 45 s, 10 min, 3 h, 7 d; exact where a smaller unit is needed for it (90 min)."""
    for least, unit, name in _SHOWN:
        if seconds >= least and (seconds % unit == 0 or seconds >= least * 10):
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s" if seconds >= 1 or seconds == 0 else f"{seconds:.2g} s"

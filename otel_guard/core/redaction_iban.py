"""International bank account numbers: their lengths and what follows the country, as the registry has them."""

import re
from typing import Final

_TABLE: Final = (  # in lower case: country, n digits, a letters, c both
    "ad n8c12 ae n19 al n8c16 at n16 az a4c20 ba n16 be n12 bg a4n6c8 bh a4c14 br n23a1c1 by c4n4c16 ch n5c12 cr n18 "
    "cy n8c16 cz n20 de n18 dk n14 do c4n20 ee n16 eg n25 es n20 fi n14 fo n14 fr n10c11n2 gb a4n14 ge a2n16 gi a4c15 "
    "gl n14 gr n7c16 gt c4c20 hr n17 hu n24 ie a4n14 il n19 iq a4n15 is n22 it a1n10c12 jo a4n4c18 kw a4c22 kz n3c13 "
    "lb n4c20 lc a4c24 li n5c12 lt n16 lu n3c13 lv a4c13 ly n21 mc n10c11n2 md c2c18 me n18 mk n3c10n2 mr n23 mt a4n5c18 "
    "mu a4n19a3 nl a4n10 no n11 pk a4c16 pl n24 ps a4c21 pt n21 qa a4c21 ro a4c16 rs n18 sa n2c18 sc a4n20a3 sd n14 "
    "se n20 si n15 sk n20 sm a1n10c12 st n21 sv a4n20 tl n19 tn n20 tr n6c16 ua n6c19 va n18 vg a4n16 xk n16"
)
_ESCAPES: Final = frozenset({"\\n", "\\r", "\\t"})
_SETS: Final = {"n": frozenset("0123456789"), "a": frozenset("abcdefghijklmnopqrstuvwxyz")}
_BOTH: Final = _SETS["n"] | _SETS["a"]
_PARTS: Final = re.compile(r"([nac])(\d+)")
_SPACES: Final = frozenset(" \u00a0")
_SHAPES: Final = {
    country: "nn" + "".join(kind * int(count) for kind, count in _PARTS.findall(parts))
    for country, parts in re.findall(r"([a-z]{2}) (\w+)", _TABLE)
}


def iban_end(low: str, start: int) -> int:
    """Where the IBAN that starts at *start* ends, 0 if there is none; *low* is in lower case."""
    shape = _SHAPES.get(low[start : start + 2])
    if shape is None or (start and low[start - 1].isalnum() and low[max(0, start - 2) : start] not in _ESCAPES):
        return 0
    at = start + 2
    for kind in shape:
        if low[at : at + 1] in _SPACES:
            at += 1
        if low[at : at + 1] not in _SETS.get(kind, _BOTH):
            return 0
        at += 1
    return at if not low[at : at + 1].isalnum() and is_iban(low[start:at]) else 0


def is_iban(low: str) -> bool:
    """Tell whether the check digits are right (mod 97, ISO 7064)."""
    plain = low.replace(" ", "").replace("\u00a0", "")
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1

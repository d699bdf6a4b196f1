"""Which finders are worth asking: the literals of the rules, looked up in the text by what they share."""

from collections.abc import Iterable
from typing import Final

from otel_guard.core.redaction_spans import Finder, Row

Gate = tuple[str, tuple[Row, ...]]
Sieve = tuple[tuple[str, tuple[Gate, ...]], ...]  # a character, below it what literals with it share, below that these

_CHARACTERS: Final = ("_", "-", "$", "%", "\\", "[", "\u00e9", "\u00fc", "=", ".", ":", "&", "(")
_SHARED: Final = (
    *(
        "xox",
        "gh",
        "gl",
        "shp",
        "sntr",
        "_v1_",
        "_live_",
        "_test_",
        "Key=",
        "access",
        "smtpsib",
        "hv",
        "CCA",
        "IA",
        "NE ",
    ),
    *(
        "ebhook",
        "invalid",
        "value",
        "parameter",
        "cv",
        "dup",
        "ONTEXT:",
        "sess",
        "pass",
        "_pat_",
        "k_",
        "d_",
        "sib-",
        "sk-",
    ),
)


def sieve(rows: Iterable[Row]) -> Sieve:
    """*rows* by a character of their literals, then by a part that several share."""
    by_character: dict[str, dict[str, list[Row]]] = {"": {}}
    for row in rows:
        character = next((char for char in _CHARACTERS if char in row[0]), "")
        shared = next((part for part in _SHARED if part in row[0]), row[0])
        by_character.setdefault(character, {}).setdefault(shared, []).append(row)
    return tuple(
        (character, tuple((shared, tuple(kept)) for shared, kept in gates.items()))
        for character, gates in by_character.items()
    )


def triggered(rows: Sieve, text: str) -> set[Finder]:
    """The finders whose literal is in *text*."""
    asked: set[Finder] = set()
    for character, gates in rows:
        if character in text:
            for kept in [kept for shared, kept in gates if shared in text]:
                asked.update([finder for literal, finder in kept if literal in text])
    return asked

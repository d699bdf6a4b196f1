"""The scan of one text: which rules have their literal in it, what they find, and the text without it."""

from collections.abc import Iterable
from typing import Final

from otel_guard.core import (
    redaction_commands,
    redaction_custom,
    redaction_database,
    redaction_digits,
    redaction_pairs,
    redaction_shapes,
    redaction_tokens,
)
from otel_guard.core.redaction_custom import RuleSettings
from otel_guard.core.redaction_keys import Keys
from otel_guard.core.redaction_sieve import sieve, triggered
from otel_guard.core.redaction_spans import (
    Finder,
    Row,
    Span,
    blanked,
    lowered,
    marks_of,
    merged,
    replaced,
    valid,
    windowed,
    without_marks,
)

LIMIT: Final = 65_536 + 1024
_HALF: Final = 32_768
_MARGIN: Final = 1024  # read and dropped at a cut, so that half a key is never kept
_FAR: Final = 8192
_MOST_ROUNDS: Final = 4
_ALWAYS: Final[tuple[Finder, ...]] = (
    redaction_digits.find,
    redaction_shapes.url_passwords,
    redaction_shapes.private_keys,
)
_EXACT: Final = sieve((*redaction_tokens.ROWS, *redaction_database.LINE_ROWS))
_LOW_ROWS: Final[tuple[Row, ...]] = (*redaction_shapes.ROWS, *redaction_commands.ROWS, *redaction_database.ROWS)


class Scan:
    """The rules as the settings have them; it never changes, so threads share it."""

    def __init__(self, keys: Keys, rules: Iterable[RuleSettings] = ()) -> None:
        own = redaction_custom.good(rules)
        self.sieve = sieve((*_LOW_ROWS, *redaction_pairs.rows(keys), *redaction_custom.rows(own)))
        self._marks = marks_of(rule.kind for rule in own)

    def redact(self, text: str, *, only_always: bool = False) -> tuple[str, dict[str, int]]:
        """*text* with marks, and how many of each kind; raises what a rule raises.

        Above 65 KiB the middle goes. Rounds are repeated until nothing is found, so twice is as good as once.
        """
        counts: dict[str, int] = {}
        if len(text) > 8 * LIMIT:
            text = text[: 4 * LIMIT] + text[-4 * LIMIT :]
        text = valid(text)
        if len(text) > LIMIT:
            text = self._both_ends(text, counts, only_always=only_always)
        finders = self._finders(text, only_always=only_always)
        for _ in range(_MOST_ROUNDS):
            spans = self._spans(text, finders)
            if not spans:
                break
            text = replaced(text, spans, counts)
        return text, counts

    def _finders(self, text: str, *, only_always: bool) -> tuple[Finder, ...]:
        """Who is asked; marks only take literals away, so this holds for all rounds."""
        if only_always:
            return _ALWAYS
        return redaction_digits.find, *triggered(_EXACT, text), *triggered(self.sieve, lowered(text))

    def _spans(self, text: str, finders: tuple[Finder, ...]) -> list[Span]:
        plain, places = blanked(text, self._marks) if "[redact" in text else (text, [])
        low = lowered(plain)
        found = [span for finder in finders for span in finder(plain, low)]
        if not found:
            return found
        spans = merged(found)
        return without_marks(spans, plain, places) if places else spans

    def _both_ends(self, text: str, counts: dict[str, int], *, only_always: bool) -> str:
        head, tail = text[: _HALF + _MARGIN], text[-_HALF - _MARGIN :]
        start = _first_line(tail)
        ends = [
            replaced(
                part[first:last],
                windowed(self._spans(part, self._finders(part, only_always=only_always)), first, last),
                counts,
            )
            for part, first, last in ((head, 0, _HALF), (tail, start, len(tail)))
        ]
        return f"\n[cut: {len(text) - _HALF - len(tail) + start} characters]\n".join(ends)


def _first_line(tail: str) -> int:
    """Where a line starts behind the margin; where there is none near, a word."""
    for space in ("\n", " "):
        at = tail.find(space, _MARGIN, _MARGIN + _FAR)
        if at >= 0:
            return at + 1
    return _MARGIN + _FAR

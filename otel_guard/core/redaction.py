"""Takes secrets out of texts and values before they are written, queued or sent."""

from collections.abc import Iterable, Mapping
from typing import Final

from otel_guard.core.redaction_custom import RuleSettings, check_rule
from otel_guard.core.redaction_database import database_text, first_line_of_status
from otel_guard.core.redaction_keys import Keys
from otel_guard.core.redaction_scan import Scan
from otel_guard.core.redaction_spans import FAILED, added, mark
from otel_guard.core.redaction_values import Walk, cut

__all__ = [
    "FAILED",
    "Redactor",
    "check_rule",
    "cut",
    "database_text",
    "first_line_of_status",
    "redact",
    "redact_value",
]

_FAILED_COUNT: Final = {"failed": 1}


class Redactor:
    """The rules of `redaction.md` with those of the settings; *counts* and *failures* are of its lifetime."""

    def __init__(
        self,
        *,
        allow_keys: Iterable[str] = (),
        deny_keys: Iterable[str] = (),
        rules: Iterable[RuleSettings] = (),
    ) -> None:
        self.counts: dict[str, int] = {}
        self.failures = 0
        self._keys = Keys(allow_keys, deny_keys)
        self._scan = Scan(self._keys, rules)

    def text(self, text: str) -> str:
        """*text* with a mark for each secret; `[redaction failed]` if a rule fails."""
        return self._redact(text, False) if text else text

    def value(self, key: str, value: object) -> object:
        """*value* of *key* as JSON: 16 levels, 256 keys each, numbers that JSON and Postgres can hold. Never raises."""
        try:
            return self._walk().value(key, value)
        except Exception:
            self.failures += 1
            return FAILED

    def mapping(self, values: Mapping[str, object]) -> dict[str, object]:
        """*values*, each by its key; keys are texts and are redacted too."""
        safe = self.value("", values) if values else {}
        return safe if isinstance(safe, dict) else {FAILED: FAILED}

    def _walk(self) -> Walk:
        return Walk(self._redact, self._keys.kind, self._keys.is_allowed, self._hide)

    def _redact(self, text: str, only_always: bool) -> str:
        try:
            safe, counts = self._scan.redact(text, only_always=only_always)
        except Exception:
            self.failures += 1
            return FAILED
        if counts:
            added(self.counts, counts)
        return safe

    def _hide(self, kind: str) -> str:
        added(self.counts, {kind: 1})
        return mark(kind)


def redact(text: str) -> tuple[str, Mapping[str, int]]:
    """*text* with marks by the built-in rules, and how many of each kind."""
    try:
        return _BUILT_IN.redact(text)
    except Exception:
        return FAILED, _FAILED_COUNT


def redact_value(key: str, value: object) -> object:
    """*value* of *key* as JSON, by the built-in rules."""
    return Redactor().value(key, value)


_BUILT_IN: Final = Scan(Keys())

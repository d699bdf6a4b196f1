"""Verbs and tables of a sanitised statement, in their order."""

import re
from typing import Final

from msgspec import Struct

UNKNOWN: Final = "SQL"  # a statement without a verb
MAX_TOKENS: Final = 2_000
MAX_SUMMARY: Final = 255
_TOKEN: Final = re.compile(r'"[^"]*"|`[^`]*`|\[[^\]\[]*\]|[^\W\d][\w$]*|[(),;.]')
_LONG_NUMBER: Final = re.compile(r"\d{4,}(?:[_-]?\d+)*")
_DEFINES: Final = frozenset({"CREATE", "ALTER", "DROP"})
_KINDS: Final = frozenset(
    {"TABLE", "INDEX", "VIEW", "SEQUENCE", "SCHEMA", "DATABASE", "TYPE", "EXTENSION", "FUNCTION", "PROCEDURE",
     "TRIGGER", "ROLE", "USER", "DOMAIN", "POLICY"}
)  # fmt: skip
_NAMES_NEXT: Final = frozenset(
    {"INSERT", "REPLACE", "MERGE", "TRUNCATE", "CALL", "EXEC", "EXECUTE", "COPY", "LOCK", "REFRESH"}
)
_SKIPPED: Final = frozenset(
    {"ONLY", "LATERAL", "IF", "NOT", "EXISTS", "TABLE", "CONCURRENTLY", "MATERIALIZED", "VIEW", "INTO", "IGNORE",
     "LOW_PRIORITY", "OR", "ROLLBACK", "ABORT", "FAIL", "REPLACE"}
)  # fmt: skip
_NO_VERB_AFTER: Final = frozenset({"FOR", "DO", "KEY", "ON", "THEN", "BEFORE", "AFTER", "OF", "OR", "GRANT"})
_END_OF_TABLES: Final = frozenset(
    {"WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "FETCH", "WINDOW", "UNION", "EXCEPT", "INTERSECT", "SET",
     "VALUES", "RETURNING", "FOR", "SELECT", "ON", "USING", "WHEN"}
)  # fmt: skip
_QUERY_STARTS: Final = frozenset({"SELECT", "WITH", "VALUES", "INSERT", "UPDATE", "DELETE", "("})


class Names(Struct, frozen=True, kw_only=True):
    """What a statement is called."""

    summary: str
    operation: str
    table: str | None


def named(text: str) -> Names:
    """Name the sanitised statement *text*."""
    walk = _Walk([match.group() for _, match in zip(range(MAX_TOKENS), _TOKEN.finditer(text), strict=False)])
    walk.run()
    words = _LONG_NUMBER.sub("?", " ".join(walk.words))
    if len(words) > MAX_SUMMARY:
        words = words[: words.rfind(" ", 0, MAX_SUMMARY + 1)] if " " in words[:MAX_SUMMARY] else words[:MAX_SUMMARY]
    operation = walk.words[0] if walk.words else UNKNOWN
    return Names(summary=words or UNKNOWN, operation=operation, table=walk.tables[0] if walk.tables else None)


class _Walk:
    """One pass over the words of a statement."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._upper = [token.upper() for token in tokens]
        self._at = 0
        self._begins = True
        # For each open parenthesis: whether it holds a query, and whether its list of tables is open.
        self._is_query = [True]
        self._in_tables = [False]
        self._common = self._common_tables()
        self.words: list[str] = []
        self.tables: list[str] = []

    def run(self) -> None:
        """Fill `words` and `tables`."""
        while self._at < len(self._tokens):
            word = self._upper[self._at]
            self._at += 1
            if word in "(),;":
                self._mark(word)
            elif self._begins:
                self._begin(word)
            else:
                self._follow(word)

    def _mark(self, mark: str) -> None:
        if mark == "(":
            starts = self._next() in _QUERY_STARTS
            self._is_query.append(starts)
            self._in_tables.append(not starts and self._in_tables[-1] and self._at > 1 and self._is_join())
        elif mark == ")" and len(self._is_query) > 1:
            self._is_query.pop()
            self._in_tables.pop()
        elif mark == "," and self._in_tables[-1]:
            self._take()
        elif mark == ";":
            self._begins, self._is_query, self._in_tables = True, [True], [False]

    def _is_join(self) -> bool:
        return self._upper[self._at - 2] in {"FROM", "JOIN", ",", "("}

    def _begin(self, word: str) -> None:
        self._begins = word in {"EXPLAIN", "ANALYZE", "VERBOSE"}
        if word in _DEFINES:
            self._define(word)
        elif word in _NAMES_NEXT:
            self.words.append(word)
            self._take(is_called=True)
        elif word not in {"WITH", "DECLARE", "SELECT", "UPDATE", "DELETE"}:
            self.words.append(word)
        else:
            self._follow(word)

    def _define(self, verb: str) -> None:
        for ahead in range(4):
            kind = self._next(ahead)
            if kind in _KINDS:
                self._at += ahead + 1
                self.words += [verb, kind]
                self._take(is_called=True)
                return
        self.words.append(verb)

    def _follow(self, word: str) -> None:
        before = self._upper[self._at - 2] if self._at > 1 else ""
        if word == "SELECT" or (word in {"UPDATE", "DELETE"} and before not in _NO_VERB_AFTER):
            self.words.append(word)
            self._in_tables[-1] = False
            if word == "UPDATE":
                self._take()
        elif word in {"INSERT", "MERGE"} and before in {"(", ")"}:
            self.words.append(word)
            self._take(is_called=True)
        elif word in {"FROM", "JOIN", "STRAIGHT_JOIN"}:
            if before != "DISTINCT" and self.words[-2:-1] != ["COPY"] and (self._is_query[-1] or self._in_tables[-1]):
                self._in_tables[-1] = True
                self._take()
        elif word in _END_OF_TABLES:
            self._in_tables[-1] = False

    def _take(self, *, is_called: bool = False) -> None:
        """Read a table's name; *is_called*: a parenthesis may follow it."""
        while self._next() in _SKIPPED:
            self._at += 1
        if self._next() in {"(", ")", ",", ";", ".", ""} or self._next() in _END_OF_TABLES:
            return
        parts = [self._name()]
        while self._next() == "." and self._next(1) not in {"", "(", ")", ",", ";"}:
            self._at += 1
            parts.append(self._name())
        name = ".".join(parts)
        if (self._next() == "(" and not is_called) or name.upper() in self._common:
            return
        self.tables.append(name)
        if self.words[-1:] != [name]:
            self.words.append(name)

    def _name(self) -> str:
        token = self._tokens[self._at]
        self._at += 1
        bare = token[1:-1] if token[0] in '"`[' else token
        return bare if bare.replace("_", "a").isalnum() else token

    def _next(self, ahead: int = 0) -> str:
        return self._upper[self._at + ahead] if self._at + ahead < len(self._upper) else ""

    def _common_tables(self) -> frozenset[str]:
        """Names that a `WITH` gives to queries."""
        if "WITH" not in self._upper:
            return frozenset()
        upper = self._upper
        found = set()
        for at in range(1, len(upper) - 1):
            if upper[at] == "AS" and upper[at + 1] in {"(", "MATERIALIZED", "NOT"}:
                name = upper[at - 1]
                if name == ")":  # WITH x (a, b) AS (
                    opening = max((i for i in range(at) if upper[i] == "("), default=0)
                    name = upper[opening - 1] if opening else ""
                found.add(name.strip('"`[]'))
        return frozenset(found)

"""SQL without its literals, and the few words that name a statement."""

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from otel_guard.core.sql_names import named

LIMIT: Final = 64 * 1024
DOUBLE_QUOTED_TEXT: Final = frozenset({"mysql", "mariadb"})
MASK: Final = "?"
_TOKEN: Final = re.compile(
    r"""
    (?P<line>--[^\n]*|^[ \t]*\#[^\n]*)
    |(?P<block>/\*)
    |(?P<dollar>(?<![\w$])\$(?:[^\W\d]\w*)?\$)
    |(?P<oracle>(?<![\w$])[nN]?[qQ]'\S)
    |(?P<escaped>(?<![\w$])[eE]')
    |(?P<text>(?:(?<![\w$])(?:[bBnNxX]|[uU]&|_[A-Za-z0-9]{1,20}[ ]?))?')
    |(?P<quoted>(?:(?<![\w$])[uU]&)?")
    |(?P<tick>`)
    |(?P<number>(?<![\w$:@?])(?:\d|\.\d)[\w.]*+(?:(?<=[eE])[+-]\d+)?)
    |(?P<secret>(?<=\b[iI][dD][eE][nN][tT][iI][fF][iI][eE][dD][ ][bB][yY][ ])[^\s'";]+)
    """,
    re.VERBOSE | re.MULTILINE,
)
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
# The end of a quoted text; no end under both readings of a backslash before a quote: no match.
_ENDS: Final = {
    "'": re.compile(r"(?:[^'\\]|''|\\[^'])*+'", re.DOTALL),
    '"': re.compile(r'(?:[^"\\]|""|\\[^"])*+"', re.DOTALL),
    "`": re.compile(r"(?:[^`]|``)*+`", re.DOTALL),
}
_ESCAPED_END: Final = re.compile(r"(?:[^'\\]|''|\\.)*+'", re.DOTALL)
_BRACKETS: Final = {"[": "]", "{": "}", "(": ")", "<": ">"}
_NAME: Final = re.compile(r'(?:[uU]&)?"[^\W\d][\w$ .:-]{0,62}"')
# What stands before a double-quoted text that some databases take for a string.
_VALUE_BEFORE: Final = re.compile(r"(?:[=<>~]|\b(?:like|ilike|glob|regexp|match|between))\s*$", re.IGNORECASE)
_MODE: Final = re.compile(r"\b(?:values|in\s*\(|on|returning|select|from|set)|\)", re.IGNORECASE)
_CAST: Final = r"(?:::[^,()]++(?:\([^()]*+\)[^,()]*+)?)?"
_PLACE: Final = rf"(?:\?\d*|%s|%\(\w+\)s|\$\d+|:\w+|@\w+|NULL|DEFAULT){_CAST}"
_ROW: Final = rf"\( ?{_PLACE} ?(?:, ?{_PLACE} ?)*+\)"
_IN_LIST: Final = re.compile(rf"\b(IN) ?{_ROW}", re.IGNORECASE)
_ROWS: Final = re.compile(rf"({_ROW})(?:, ?{_ROW})++", re.IGNORECASE)


class Digest(Struct, frozen=True, kw_only=True):
    """What may be shown of a statement."""

    text: str
    summary: str
    operation: str
    table: str | None


def digest(query: str, system: str = "") -> Digest:
    """Sanitise and name *query* in one go; the cache is the caller's."""
    text = sanitize(query, system)
    names = named(text)
    return Digest(text=text, summary=names.summary, operation=names.operation, table=names.table)


def sanitize(query: str, system: str = "") -> str:
    """*query* on one line, literals as `?`, without comments, lists of placeholders as one.

    In doubt more than the literal goes. *system* (`db.system.name`) tells what `"…"` is; without it, it is a name
    where it can be one.
    """
    text = " ".join(_Scan(query[:LIMIT], has_double_quoted_text=system in DOUBLE_QUOTED_TEXT).run().split())
    return _ROWS.sub(r"\1", _IN_LIST.sub(r"\1 (?)", text))


def summary(query: str) -> str:
    """Verbs and tables in their order (OTel's `db.query.summary`): `SELECT users`; at most 255 characters."""
    return named(sanitize(query)).summary


def table(query: str) -> str | None:
    """The first table that *query* names."""
    return named(sanitize(query)).table


class _Scan:
    """One pass over a statement; linear, whatever it holds."""

    def __init__(self, query: str, *, has_double_quoted_text: bool) -> None:
        self._query = query
        self._has_double_quoted_text = has_double_quoted_text
        self._has_nested_comments = True
        self._mode = ""  # "values" or "in": a list of values is open
        self._ends: dict[str, Callable[[re.Match[str]], tuple[int, str]]] = {
            "line": lambda match: (match.end(), " "),
            "block": self._block,
            "dollar": lambda match: (self._find(match.group(), match.end()), MASK),
            "oracle": self._oracle,
            "escaped": lambda match: (self._end(_ESCAPED_END, "", match.end()), MASK),
            "text": lambda match: (self._end(_ENDS["'"], "'", match.end()), MASK),
            "quoted": self._quoted,
            "tick": self._tick,
            "number": lambda match: (match.end(), MASK),
            "secret": lambda match: (match.end(), MASK),
        }

    def run(self) -> str:
        """The query without literals and comments."""
        kept: list[str] = []
        position = 0
        while (match := _TOKEN.search(self._query, position)) is not None:
            before = self._query[position : match.start()]
            self._follow(before)
            kept.append(before)
            position, shown = self._ends[match.lastgroup or ""](match)
            kept.append(shown)
        kept.append(self._query[position:])
        return "".join(kept)

    def _follow(self, text: str) -> None:
        for word in _MODE.findall(text):
            if word == ")":
                self._mode = "values" if self._mode == "values" else ""
            else:
                self._mode = word.lower().rstrip("( \t\n\r") if word[0] in "vViI" else ""

    def _block(self, match: re.Match[str]) -> tuple[int, str]:
        depth = 0
        if self._has_nested_comments:
            for edge in _COMMENT_EDGE.finditer(self._query, match.start()):
                depth += 1 if edge.group() == "/*" else -1
                if depth == 0:
                    return edge.end(), " "
        self._has_nested_comments = False
        return self._find("*/", match.end()), " "

    def _oracle(self, match: re.Match[str]) -> tuple[int, str]:
        opening = match.group()[-1]
        return self._find(_BRACKETS.get(opening, opening) + "'", match.end()), MASK

    def _quoted(self, match: re.Match[str]) -> tuple[int, str]:
        end = self._end(_ENDS['"'], '"', match.end())
        shown = self._query[match.start() : end]
        if self._has_double_quoted_text or _NAME.fullmatch(shown) is None:
            return end, MASK
        is_value = self._mode or _VALUE_BEFORE.search(self._query[max(0, match.start() - 20) : match.start()])
        return end, MASK if is_value and self._query[end : end + 1] != "." else shown

    def _tick(self, match: re.Match[str]) -> tuple[int, str]:
        end = self._end(_ENDS["`"], "", match.end())
        shown = self._query[match.start() : end]
        return end, shown if shown.endswith("`") and len(shown) > 1 else MASK

    def _end(self, pattern: re.Pattern[str], quote: str, start: int) -> int:
        closed = pattern.match(self._query, start)
        if closed is not None:
            return closed.end()
        last = self._query.rfind(quote, start) if quote else -1
        return last + 1 if last >= start else len(self._query)

    def _find(self, end: str, start: int) -> int:
        found = self._query.find(end, start)
        return found + len(end) if found >= 0 else len(self._query)

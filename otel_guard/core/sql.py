"""SQL text without its values: literals become `?`, comments go, and a short name of what the statement does."""

import re
from collections.abc import Iterator
from typing import Final

LONGEST: Final = 16_384  # of a statement that is read; the rest is cut off, also within a literal
SUMMARY_LIMIT: Final = 255  # OTel's, of `db.query.summary`
UNKNOWN: Final = "SQL"

# Possessive and with an optional end: every alternative is linear, and an open literal takes the rest.
_TOKEN: Final = re.compile(
    r"""
      (?P<line>--[^\n]*+)
    | (?P<block>/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*+(?:\\\Z|'?))
    | (?P<string>(?:[nNbBxX]|[uU]&)?'(?:[^']|'')*+'?)
    | (?P<dollar>\$(?:[^\W\d]\w*)?\$)
    | (?P<kept>"(?:[^"]|"")*+"? | `(?:[^`]|``)*+`? | [^\W\d][\w$]*+ | \$\d++ | \?\d++ | (?<![\w\]):]):\d++)
    | (?P<number>0[xXoObB][\da-fA-F_]++\w*+ | \d[\d_]*+(?:\.[\d_]*+)?(?:[eE][+-]?\d++)?\w*+ | \.\d++(?:[eE][+-]?\d++)?\w*+)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
_PLACEHOLDER: Final = r"(?:\?\d*+|\$\d++|%s|%\(\w++\)s|:\w++|@\w++)(?:::\w++)?"
_IN: Final = re.compile(rf"\b(IN)\s*+\(\s*+{_PLACEHOLDER}(?:\s*+,\s*+{_PLACEHOLDER})++\s*+\)", re.IGNORECASE)

_NAME: Final = r'(?:"(?:[^"]|"")++"|`[^`]++`|\[[^\]\d?][^\]]*+\]|[^\W\d][\w$]*+)'
_WORD: Final = re.compile(rf"{_NAME}(?:\s*+\.\s*+{_NAME})*+|[()]|[^\s()]")
_UNQUOTED: Final = re.compile(r'^["`\[]|["`\]]$')
_VERBS: Final = frozenset(
    "ALTER ANALYZE BEGIN CALL CLOSE COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE DESCRIBE DISCARD DO DROP END "
    "EXEC EXECUTE EXPLAIN FETCH GRANT INSERT KILL LISTEN LOAD LOCK MERGE NOTIFY PRAGMA PREPARE REFRESH REINDEX RELEASE "
    "REPLACE RESET REVOKE ROLLBACK SAVEPOINT SELECT SET SHOW START TRUNCATE UNLISTEN UPDATE USE VACUUM VALUES".split()
)
_DEFINES: Final = frozenset({"ALTER", "CREATE", "DROP"})
_OBJECTS: Final = frozenset(
    "COLUMN DATABASE DOMAIN EXTENSION FUNCTION INDEX POLICY PROCEDURE ROLE SCHEMA SEQUENCE TABLE TRIGGER TYPE USER VIEW".split()
)
_LEADS: Final = frozenset({"JOIN", "INTO", "TABLE"})
_SKIPPED: Final = frozenset({"IF", "NOT", "EXISTS", "ONLY", "LATERAL", "TABLE", "INTO", "CONCURRENTLY"})
_READERS: Final = frozenset({"SELECT", "DELETE"})  # whose FROM names a table; that of EXTRACT or TRIM does not
_FIRST_NAMES: Final = frozenset({"UPDATE", "COPY", "TRUNCATE", "REPLACE", "ANALYZE", "VACUUM", "CALL"})
_NO_NAMES: Final = frozenset({"SELECT", "VALUES", "SET", "UNNEST"})


def sanitize(query: str) -> str:
    """*query* with `?` for every literal; comments dropped; placeholders and quoted identifiers kept.

    Where a backslash stands before a quotation mark in a plain string, servers disagree on its end: all after it goes.
    """
    text = query[:LONGEST]
    parts: list[str] = []
    at = 0
    while (found := _TOKEN.search(text, at)) is not None:
        parts.append(text[at : found.start()])
        shown, at = _shown(text, found)
        parts.append(shown)
    parts.append(text[at:])
    return _IN.sub(r"\1 (?)", "".join(parts)).strip()


def summary(query: str) -> str:
    """What *query* does, with few different values: `SELECT users`, at most 255 characters."""
    verb, tables = _parse(sanitize(query))
    said = verb
    for name in tables:
        if len(said) + 1 + len(name) > SUMMARY_LIMIT:
            break
        said = f"{said} {name}"
    return said


def table(query: str) -> str | None:
    """The first table that *query* names, None if it names none."""
    return next(iter(_parse(sanitize(query))[1]), None)


def _shown(text: str, found: re.Match[str]) -> tuple[str, int]:
    """What stands for a token, and where the next begins."""
    match found.lastgroup:
        case "kept":
            return found.group(), found.end()
        case "line":
            return "", found.end()
        case "block":
            return " ", _after_comment(text, found.end())
        case "dollar":
            end = text.find(found.group(), found.end())
            return "?", len(text) if end < 0 else end + len(found.group())
        case "string" if "\\'" in found.group():
            return "?", len(text)
        case _:
            return "?", found.end()


def _after_comment(text: str, at: int) -> int:
    depth = 1  # Postgres nests them
    while depth:
        edge = _COMMENT_EDGE.search(text, at)
        if edge is None:
            return len(text)
        depth += 1 if edge.group() == "/*" else -1
        at = edge.end()
    return at


def _parse(text: str) -> tuple[str, dict[str, None]]:
    """The verb and the tables, in their order, without the names that WITH defines."""
    words = [found.group() for found in _WORD.finditer(text)]
    verb, tables, defined = UNKNOWN, dict[str, None](), set[str]()
    frames: list[str] = [""]  # the verb of each open parenthesis
    for index, word in enumerate(words):
        upper = word.upper()
        before = words[index - 1].upper() if index else ""
        if word == "(":
            frames.append("")
        elif word == ")":
            frames = frames[:-1] or [""]
        elif upper in _VERBS and not frames[-1]:
            frames[-1] = upper
            if len(frames) == 1 or (verb == UNKNOWN and all(one == "(" for one in words[:index])):
                verb = _verb(upper, words, index)
            if upper in _FIRST_NAMES:
                tables |= dict.fromkeys(_names(words, index + 1, may_call=False))
        elif upper == "AS" and "WITH" in {one.upper() for one in words[:1]} and words[index + 1 : index + 2] == ["("]:
            defined.add(_plain(words[index - 1]))
        elif _leads(upper, before, frames[-1]):
            tables |= dict.fromkeys(_names(words, index + 1, may_call=upper in {"FROM", "JOIN"}))
    return verb, {name: None for name in tables if name not in defined}


def _leads(word: str, before: str, verb: str) -> bool:
    """Whether a table's name comes next."""
    if word == "FROM":
        return verb in _READERS and before != "DISTINCT"
    return word in _LEADS or (word in {"ON", "USING"} and (verb, word) in {("CREATE", "ON"), ("DELETE", "USING")})


def _verb(verb: str, words: list[str], index: int) -> str:
    following = (word.upper() for word in words[index + 1 : index + 5])
    kind = next((word for word in following if word in _OBJECTS), None) if verb in _DEFINES else None
    return verb if kind is None else f"{verb} {kind}"


def _names(words: list[str], index: int, *, may_call: bool) -> Iterator[str]:
    while index < len(words) and words[index].upper() in _SKIPPED:
        index += 1
    if index >= len(words) or not re.match(_NAME, words[index]) or words[index].upper() in _NO_NAMES:
        return
    if not (may_call and words[index + 1 : index + 2] == ["("]):
        yield _plain(words[index])


def _plain(name: str) -> str:
    return ".".join(_UNQUOTED.sub("", part.strip()) for part in name.split("."))

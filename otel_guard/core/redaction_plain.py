"""Where a value without quotes ends, and whether it is one: prose, code and placeholders stay."""

import re
from typing import Final

_VALUE: Final = re.compile(
    r"(?:[^\s\"'`<>,;&)\]}|\\]"
    r"|[,;](?![\s\"']|$|[\w.-]{1,40}\s?[=:])|&(?!(?:amp;)?[\w.-]{0,40}=|quot;|\#|lt;|gt;)|[)\]}|](?![\s,;.:)\]}\"'|]|$)"
    r"|\\(?![nrt\"'])|(?<=\w)['`](?=\w[^'\"`\n]{0,40}(?:\s|$)))+"
)
_ENCODED: Final = re.compile(r"(?:(?!%26|%2[027cC]|%0[aAdD]|%7[dD]|&)[^\s\"'<>])+")
_NUMBERS: Final = {
    "card": re.compile(r"[\d][\d \u00a0.-]{7,30}\d"),
    "ssn": re.compile(r"\d{3}[ .\u00a0-]?\d{2}[ .\u00a0-]?\d{4}(?!\d)"),
    "phone": re.compile(r"(?:tel:)?[+(]?\d[\d \u00a0()./-]{5,24}\d(?:\s?(?:x|ext\.?)\s?\d{1,6})?"),
    "iban": re.compile(r"[A-Za-z]{2}\d{2}[A-Za-z0-9]{0,30}(?:[ -][A-Za-z0-9]{1,4}\b){0,8}"),
    "account": re.compile(r"[A-Za-z]{0,2}\d[\d \u00a0-]{3,30}\d"),
    "cvv": re.compile(r"\d{3,8}(?![\w.])"),
}
_NOTHING: Final = frozenset(
    [
        *(
            "none",
            "null",
            "nil",
            "true",
            "false",
            "undefined",
            "unset",
            "empty",
            "str",
            "string",
            "bytes",
            "int",
            "integer",
            "number",
        ),
        *(
            "bool",
            "any",
            "type",
            "optional",
            "required",
            "missing",
            "invalid",
            "incorrect",
            "wrong",
            "expired",
            "revoked",
            "rejected",
        ),
        *(
            "denied",
            "failed",
            "unknown",
            "not",
            "no",
            "must",
            "is",
            "was",
            "are",
            "has",
            "should",
            "cannot",
            "can",
            "may",
            "the",
            "a",
        ),
        *(
            "an",
            "your",
            "this",
            "that",
            "self",
            "cls",
            "in",
            "of",
            "for",
            "to",
            "from",
            "with",
            "and",
            "or",
            "if",
            "when",
            "field",
        ),
        *(
            "value",
            "too",
            "changed",
            "reset",
            "updated",
            "sent",
            "used",
            "error",
            "yes",
            "on",
            "off",
            "object",
            "function",
            "lambda",
        ),
        *(
            "await",
            "new",
            "default",
            "request",
            "options",
            "option",
            "flag",
            "flags",
            "argument",
            "arguments",
            "parameter",
        ),
        *("parameters", "secretstr", "secretbytes", "secretdate", "secretbool"),
    ]
)
_PLACEHOLDER: Final = re.compile(r"\$?\{|\[(?!redact)|\(|<|%\(?\w*\)?s|\*{2,}|\*\(|\.\.\.|\?|\$\(|\$\d|~$|/$|-$")
_CODE: Final = re.compile(
    r"(?:await )?[A-Za-z_]{1,60}(?:\.[A-Za-z_]{1,60}){0,8}[(\[]"
    r"|(?:self|cls|settings|config|conf|os|args|kwargs|options|request|req|app|ctx|env|environ|data|params|user|this|process)"
    r"\.[a-zA-Z_.]{1,80}(?![\w.-]|[^\w\s]\w)"
)
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][\w.]*[,)\]:]*$")
_LETTERS: Final = re.compile(r"[^\W\d_]+[.!?:]?$")
_JOINED: Final = re.compile(r"[^\W\d_]+(?:[-/][^\W\d_]+)*[.!?:]?$")
_SCHEME_ONLY: Final = re.compile(r"\w+[ \t]+(?:\.\.\.|<|\$?\{|%|\*)")
_MORE_PROSE: Final = re.compile(r"[ \t]+[A-Za-z(]")
_FRAME: Final = re.compile(r"[ |+]*File \"")
_FAR: Final = 500
_LINE_END: Final = re.compile(r"[\r\n]|\\n|\\r")
_COOKIE: Final = re.compile(r"[\w.$%-]{1,80}=")
_LONGEST_WORD, _LONG_WORD = 100, 5
_LEAST_DIGITS: Final = 6
_PATH: Final = re.compile(r"[/~.]|[A-Za-z]:[\\/]")
SIGNATURE: Final = re.compile(r"(?=[^\d\s]{0,120}\d)[^\s\"'&\x00]{10,}")


def plain_end(text: str, at: int, *, key: str, kind: str, start: int, is_prose: bool, is_is: bool, quote: str) -> int:
    """The end of the value at *at*; *at* itself if it is none."""
    pattern = SIGNATURE if is_signature(key) else _NUMBERS.get(kind)
    if pattern is not None:
        found = pattern.match(text, at)
        return found.end() if found is not None else at
    if _PLACEHOLDER.match(text, at) or _CODE.match(text, at):
        return at
    value = _read(text, at)
    if not value or (len(value) < _LONGEST_WORD and _is_nothing(text, start, value, key)):
        return at
    line = _header_end(text, at, key, kind, quote)
    if line is not None:
        return line
    if is_prose and (_is_prose(text, at, value, is_is=is_is) or _is_number(value, kind)):
        return at
    return at if key.lower().endswith("pwd") and _PATH.match(value) else at + len(value)


def _is_number(value: str, kind: str) -> bool:
    """Tell a count or a status after `token:`, `cookies:` from a secret."""
    return kind != "password" and len(value) < _LEAST_DIGITS and value.isdigit()


def _header_end(text: str, at: int, key: str, kind: str, quote: str) -> int | None:
    """Where a value ends that takes the rest of its line; None if it is not such a one."""
    if kind == "authorization" and key.lower().endswith("authorization"):
        return at if _SCHEME_ONLY.match(text, at) else _rest_of_line(text, at, quote)
    if kind == "cookie" and _COOKIE.match(text, at):
        return _rest_of_line(text, at, quote)
    if "connectionstring" in key.replace("_", "").replace("-", "").lower():
        return _rest_of_line(text, at, '"')
    return None


def is_signature(key: str) -> bool:
    """Tell whether *key* is a signature's, which may be a function's too."""
    return key.replace("-", "_").replace(".", "_").rpartition("_")[2].lower().endswith(("signature", "sig"))


def _read(text: str, at: int) -> str:
    is_encoded = text[max(0, at - 3) : at].lower() == "%3d"
    found = (_ENCODED if is_encoded else _VALUE).match(text, at, at + 8192)
    value = found[0] if found is not None else ""
    return value.rstrip(".:!") if len(value) > 1 else value


def _is_nothing(text: str, start: int, value: str, key: str) -> bool:
    """Tell whether *value* is a word that stands for none, the key itself, or a name in a line of source."""
    word = value.strip("()[]{}.,;:!?").lower()
    if not word or word in _NOTHING:
        return True
    if len(word) >= _LONG_WORD and word.isidentifier() and key.lower().endswith(word):
        return True
    return _IDENTIFIER.match(value) is not None and _is_source(text, start)


def _is_source(text: str, at: int) -> bool:
    """Tell whether *at* is in a source line of a traceback, outside of its strings and comments."""
    line_start = text.rfind("\n", max(0, at - _FAR), at) + 1
    line = text[line_start:at]
    if not line_start or not line.startswith(("    ", "  |  ", "  + ")) or '"' in line or "'" in line or "#" in line:
        return False
    for _ in range(4):
        previous = text.rfind("\n", max(0, line_start - 1 - _FAR), line_start - 1) + 1
        if _FRAME.match(text, previous):
            return True
        if not previous or not text.startswith("    ", previous):
            return False
        line_start = previous
    return False


def _is_prose(text: str, at: int, value: str, *, is_is: bool) -> bool:
    """A word of letters with more words behind it; after `is` any word of letters."""
    if is_is:
        return _JOINED.match(value) is not None
    return _LETTERS.match(value) is not None and _MORE_PROSE.match(text, at + len(value)) is not None


def _rest_of_line(text: str, at: int, quote: str) -> int:
    found = _LINE_END.search(text, at)
    end = found.start() if found is not None else len(text)
    closing = text.find(quote, at, end) if quote in {'"', "'", "`"} else -1
    return closing if closing >= 0 else end

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
    (
        "none null nil true false undefined unset empty str string bytes int integer number bool any type optional required missing"
        " invalid incorrect wrong expired revoked rejected denied failed unknown not no must is was are has should cannot can may the a"
        " an your this that self cls in of for to from with and or if when field value too changed reset updated sent used error"
        " yes on off object function lambda await new default request"
    ).split()
)
_PLACEHOLDER: Final = re.compile(r"\$?\{|\[(?!redact)|\(|<|%\(?\w*\)?s|\*{2,}|\.\.\.|\?|\$\(|\$\d|~$|/$|-$")
_CODE: Final = re.compile(
    r"(?:await )?[A-Za-z_][A-Za-z_]*(?:\.[A-Za-z_]+)*[(\[]"
    r"|(?:self|cls|settings|config|conf|os|args|kwargs|options|request|req|app|ctx|env|environ|data|params|user|this|process)\.[a-zA-Z_.]+$"
)
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][\w.]*[,)\]:]*$")
_LETTERS: Final = re.compile(r"[^\W\d_]+[.!?:]?$")
_MORE_PROSE: Final = re.compile(r"[ \t]+[A-Za-z(]")
_FRAME: Final = re.compile(r"[ |+]*File \"")
_FAR: Final = 500
_LINE_END: Final = re.compile(r"[\r\n]|\\n|\\r")
_COOKIE: Final = re.compile(r"[\w.$%-]{1,80}=")
_SHORT: Final = {"token": 6, "secret": 4}
_SIGNATURES: Final = frozenset({"signature", "sig"})
_SIGNATURE: Final = re.compile(r"(?=[^\d\s]*\d)[^\s\"'&]{10,}")


def plain_end(text: str, at: int, *, key: str, kind: str, start: int, is_prose: bool, is_is: bool, quote: str) -> int:
    """The end of the value at *at*; *at* itself if it is none."""
    if kind in _NUMBERS:
        number = _NUMBERS[kind].match(text, at)
        return number.end() if number is not None else at
    value = _read(text, at)
    if not value:
        return at
    last = key.replace("-", "_").rpartition("_")[2].lower()
    if _is_nothing(value, key) or _is_code(text, start, value):
        return at
    if kind == "authorization" and last == "authorization":
        return _rest_of_line(text, at, quote)
    if kind == "cookie" and _COOKIE.match(text, at):
        return _rest_of_line(text, at, quote)
    if last in _SIGNATURES:
        signature = _SIGNATURE.match(text, at)
        return signature.end() if signature is not None else at
    if "connectionstring" in key.replace("_", "").replace("-", "").lower():
        return _rest_of_line(text, at, '"')
    if is_prose and _is_prose(text, at, value, is_is=is_is):
        return at
    return at + len(value) if len(value) >= _SHORT.get(kind, 1) else at


def _read(text: str, at: int) -> str:
    is_encoded = text[max(0, at - 3) : at].lower() == "%3d"
    found = (_ENCODED if is_encoded else _VALUE).match(text, at, at + 8192)
    value = found[0] if found is not None else ""
    return value.rstrip(".:!") if len(value) > 1 else value


def _is_nothing(value: str, key: str) -> bool:
    if _PLACEHOLDER.match(value):
        return True
    word = value.strip("()[]{}.,;:!?").lower()
    return not word or word in _NOTHING or key.lower().endswith(word) and word.isidentifier() and len(word) >= 5  # noqa: PLR2004


def _is_code(text: str, start: int, value: str) -> bool:
    if _CODE.match(value):
        return True
    return bool(_IDENTIFIER.match(value)) and _is_source(text, start)


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
    if not _LETTERS.match(value):
        return False
    return is_is or _MORE_PROSE.match(text, at + len(value)) is not None


def _rest_of_line(text: str, at: int, quote: str) -> int:
    found = _LINE_END.search(text, at)
    end = found.start() if found is not None else len(text)
    closing = text.find(quote, at, end) if quote in {'"', "'", "`"} else -1
    return closing if closing >= 0 else end

"""Secrets with a shape of their own: mail addresses, passwords in URLs, private keys, bearer and basic tokens."""

import binascii
import re
from collections.abc import Iterator
from typing import Final

from otel_guard.core.redaction_spans import Row, Span

_LOCAL: Final = re.compile(  # read backwards; \u00fc may stand for a letter
    r"(?:(?![0-9a-f][0-7]00)[0-9a-fA-F]{4}u\\{1,4}|[\w!#$*+.^~-]){1,64}|\"(?:[^\"\\\n]|\\[^\n]){1,64}\"\\?"
)
_LABEL: Final = r"(?:\w|\\{1,4}u[0-9a-fA-F]{4})(?:[\w-]|\\{1,4}u[0-9a-fA-F]{4}){0,62}"
_TAIL: Final = re.compile(rf"(?:{_LABEL}\.){{1,8}}(?:[^\W\d_]{{2,24}}|xn--[\w-]{{2,59}})(?![\w\x00])")
_DOTLESS: Final = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}|\[[\d.:a-fA-F]{3,45}\]")
_NOT_MAIL: Final = re.compile(
    r".*\.(?:service|socket|timer|target|mount|png|jpe?g|gif|svg|webp|css|js|py|ts)", re.DOTALL
)
_SMTP: Final = ("smtp", "rcpt", "mailbox", "recipient", "mail from", "undeliver", "helo", "relay")
_AT: Final = (("@", 1), ("%40", 3), ("\\u0040", 6), ("&#64;", 5))
_ESCAPE: Final = re.compile(r"(?<=\\)(?:[nrtbf]|u[0-9a-fA-F]{4})|(?<=%)[0-9a-fA-F]{2}")

_PLAIN_SCHEME_END: Final = re.compile(r":(?://|\\/\\/)")
_SCHEME_END: Final = re.compile(r"://|:\\/\\/|(?::|%3[aA])(?:%2[fF]){2}")
_AUTHORITY: Final = re.compile(r"[^\s/?#\"'<>\\\x00]{0,1024}")
_QUOTED_AUTHORITY: Final = re.compile(r"(?:(?!%2[fF]|%3[fF])[^\s/?#\"'<>&]){0,1024}")
_TEMPLATE: Final = re.compile(r"\*+|\.\.\.|%\(?\w+\)?s?|\$?\{[^{}]*\}|<[^<>]*>|x{3,}|\[[^\[\]]*\]|%s", re.IGNORECASE)
_LONG_NAME: Final = re.compile(r"(?=[^\d]*\d)[\w~.-]{16,}")
_SLASHED: Final = re.compile(r"[^\s\"'<>@\x00]{1,256}@(?=[\w.-]+[:/?\s]|[\w.-]+$)")

_PEM_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----|---- END SSH2[A-Z ]{0,30}KEY ----")
_LONGEST_KEY: Final = 8192
_PEM: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY")
_BEARER: Final = re.compile(r"(?:\s{1,4}|%20|\+)[\"']?([\w~+/.=-]{12,})")
_BASIC: Final = re.compile(r"(?:\s{1,4}|%20|\+)[\"']?([A-Za-z0-9+/_-]{4,}={0,2})")


def emails(text: str, low: str) -> Iterator[Span]:
    """Addresses, quoted and escaped ones too; without a dot after the @ only where the text speaks of SMTP."""
    is_smtp = any(word in low for word in _SMTP)
    for sign, size in _AT:
        at = low.find(sign)
        while at >= 0:
            end = at + size
            found = _TAIL.match(text, end) or (_DOTLESS.match(text, end) if is_smtp else None)
            if found is not None:
                start = _local_start(text, at)
                if start < at and not _is_other(text, low, start, at, found[0]):
                    end = found.end()
                    yield start, end, "email"
            at = low.find(sign, end)


def _local_start(text: str, at: int) -> int:
    backwards = text[max(0, at - 66) : at][::-1]
    if backwards.startswith("\\"):  # \"john doe\"@…
        backwards = backwards.replace('\\"', '"', 1)
    found = _LOCAL.match(backwards)
    if found is None:
        return at
    start = at - found.end()
    escape = _ESCAPE.match(text, start)
    if escape is not None and escape.end() < at:
        start = escape.end()
    return start if any(map(str.isalnum, text[start:at])) else at


def _is_other(text: str, low: str, start: int, at: int, tail: str) -> bool:
    """The user of a URL, `git@…`, a unit of systemd, an image."""
    if low[start:at] == "git" or _NOT_MAIL.fullmatch(tail):
        return True
    scheme = text.rfind("//", max(0, at - 300), at)
    if scheme < 0:
        return False
    between = text[scheme + 2 : at]
    return not any(char in between for char in "/?# \t\n\"'<>,;")


def url_passwords(text: str, low: str) -> Iterator[Span]:
    """What stands between the user and the last @ before the path; a long user alone is a token."""
    for scheme in (_SCHEME_END if "%2f%2f" in low else _PLAIN_SCHEME_END).finditer(text):
        start = scheme.end()
        is_quoted = "%" in scheme[0]
        found = (_QUOTED_AUTHORITY if is_quoted else _AUTHORITY).match(text, start)
        authority = found[0] if found is not None else ""
        at, colon = ("%40", "%3A") if is_quoted else ("@", ":")
        user_info, sign, _ = authority.rpartition(at)
        if not sign and not is_quoted:
            user_info = _with_slash(text, start, authority)
        user, has_password, password = user_info.partition(colon if colon in user_info else colon.lower())
        if has_password and password:
            if not _TEMPLATE.fullmatch(password):
                first = start + len(user) + len(has_password)
                yield first, start + len(user_info), "url_password"
        elif user and _LONG_NAME.fullmatch(user):
            yield start, start + len(user), "url_password"


def _with_slash(text: str, start: int, authority: str) -> str:
    """`user:pa/ss` of `user:pa/ss@host`: where a port would be is no number."""
    _, colon, port = authority.partition(":")
    if not colon or port.isdigit() or not port:
        return ""
    found = _SLASHED.match(text, start)
    return found[0][:-1] if found is not None else ""


def private_keys(text: str, _low: str) -> Iterator[Span]:
    """From BEGIN to END, to the end of the text where that is missing; from its start where BEGIN is."""
    at = 0
    begin = _PEM.search(text)
    while True:
        end = _PEM_END.search(text, at)
        if begin is not None and begin.start() < at:
            begin = _PEM.search(text, at)
        if end is None:
            if begin is not None:
                yield begin.start(), len(text), "private_key"
            return
        is_whole = begin is not None and begin.start() < end.start()
        start = begin.start() if is_whole and begin is not None else max(at, end.start() - _LONGEST_KEY)
        at = end.end()
        yield start, at, "private_key"


def bearers(text: str, low: str) -> Iterator[Span]:
    """What follows the word bearer: 12 characters or more, a digit among them."""
    at = low.find("bearer")
    while at >= 0:
        end = at + 6
        found = _BEARER.match(text, end)
        if found is not None:
            end = found.end()
            if any(map(str.isdigit, found[1])):
                yield *found.span(1), "bearer"
        at = low.find("bearer", end)


def basics(text: str, low: str) -> Iterator[Span]:
    """What follows the word basic and decodes to `user:password`."""
    at = low.find("basic")
    while at >= 0:
        end = at + 5
        found = _BASIC.match(text, end)
        if found is not None:
            end = found.end()
            if _is_pair(found[1]):
                yield *found.span(1), "basic"
        at = low.find("basic", end)


def _is_pair(encoded: str) -> bool:
    try:
        plain = binascii.a2b_base64(encoded[:400].rstrip("=") + "==").decode()
    except ValueError:
        return False
    return ":" in plain and plain.isprintable()


ROWS: Final[tuple[Row, ...]] = (  # literals in lower case
    *((sign, emails) for sign, _ in _AT),
    *((scheme, url_passwords) for scheme in ("://", ":\\/\\/", "%2f%2f")),
    *((word, private_keys) for word in ("private key", "ssh2")),
    ("bearer", bearers),
    ("basic", basics),
)

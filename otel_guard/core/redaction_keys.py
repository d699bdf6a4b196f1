"""Which keys have secret values: a key is split into words at `_ - .` and at its capitals."""

import re
from collections.abc import Iterable
from typing import Final

STEMS: Final = (  # each secret key holds one of them; in lower case
    *("pass", "pwd", "secret", "token", "key", "authoriz", "card", "connection", "cookie", "credential", "otp", "pin"),
    *(
        "cvv",
        "cvc",
        "csc",
        "ssn",
        "iban",
        "dsn",
        "phone",
        "sig",
        "sess",
        "security",
        "account",
        "routing",
        "tax",
        "_pw",
    ),
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
_ANYWHERE: Final = (
    ("password", "password"),
    ("passwd", "password"),
    ("passphrase", "password"),
    ("passcode", "password"),
    ("apikey", "secret"),
    ("accesskey", "secret"),
    ("privatekey", "secret"),
    ("signingkey", "secret"),
    ("encryptionkey", "secret"),
    ("masterkey", "secret"),
    ("accountkey", "secret"),
    ("authorization", "authorization"),
    ("cardnumber", "card"),
    ("connectionstring", "secret"),
)
_AS_WORD: Final = {
    "secret": "secret",
    "secrets": "secret",
    "cookie": "cookie",
    "cookies": "cookie",
    "credential": "secret",
    "credentials": "secret",
}
_LAST: Final = {
    "token": "token",
    "pwd": "password",
    "otp": "token",
    "totp": "token",
    "pin": "cvv",
    "cvv": "cvv",
    "cvc": "cvv",
    "csc": "cvv",
    "ssn": "ssn",
    "iban": "iban",
    "dsn": "secret",
    "phone": "phone",
    "telephone": "phone",
    "signature": "token",
    "sig": "token",
}
_LAST_RUN: Final = (
    ("sessionid", "token"),
    ("sessid", "token"),
    ("securitycode", "cvv"),
    ("accountnumber", "account"),
    ("routingnumber", "account"),
    ("taxid", "account"),
    ("phonenumber", "phone"),
    ("mobilephone", "phone"),
    ("token", "token"),
    ("secret", "secret"),
)
_SHORT: Final = frozenset({"pass", "pw"})  # secret after another word: db_pass
_NEVER_LAST: Final = frozenset(
    {"tokens", "count", "length", "len", "type", "policy", "expires", "expiry", "expired", "ttl", "required", "enabled"}
    | {"min", "max", "age", "field", "fields", "error", "errors", "attempts", "validator", "validators", "at", "usage"}
)
_NEVER: Final = (
    *("sortkey", "primarykey", "foreignkey", "cachekey", "idempotencykey", "statuscode", "errorcode"),
    *("sessioncount", "tokencount", "maxtoken", "passwordreset", "passwordless"),
)
_MOST_CACHED: Final = 4096


class Keys:
    """The built-in keys, without *allow*, with *deny*."""

    def __init__(self, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> None:
        self._allow = {run for run in map(_run, allow) if run}
        self._deny = tuple(sorted({run for run in map(_run, deny) if run}))
        self.stems = tuple(dict.fromkeys([*STEMS, *(stem for key in deny if (stem := _stem(key)))]))
        self._known: dict[str, str | None] = {}

    def kind(self, key: str) -> str | None:
        """The kind of the value of *key*, None for a key like any other."""
        try:
            return self._known[key]
        except KeyError:
            kind = self._kind(key)
            if len(self._known) < _MOST_CACHED:
                self._known[key] = kind
            return kind

    def is_allowed(self, key: str) -> bool:
        """Tell whether the settings let the value of *key* stand."""
        return bool(self._allow) and _run(key) in self._allow

    def _kind(self, key: str) -> str | None:
        run = _run(key)
        if run in self._allow:
            return None
        if self._deny and run.endswith(self._deny):
            return "denied"
        return kind_of(key)


def kind_of(key: str) -> str | None:
    """What the value of *key* is by the built-in rules."""
    words = [word.lower() for word in _WORD.findall(key)]
    if not words or words[-1] in _NEVER_LAST:
        return None
    run = "".join(words)
    if run.endswith(_NEVER):
        return None
    for part, kind in _ANYWHERE:
        if part in run:
            return kind
    for word in words:
        if word in _AS_WORD:
            return _AS_WORD[word]
    last = words[-1]
    if last in _LAST:
        return _LAST[last]
    if last in _SHORT and len(words) > 1:
        return "password"
    return next((kind for part, kind in _LAST_RUN if run.endswith(part)), None)


def _run(key: str) -> str:
    return "".join(_WORD.findall(key)).lower()


def _stem(key: str) -> str:
    """The longest word of a key as it stands in a text."""
    return max(_WORD.findall(key), key=len, default="").lower()

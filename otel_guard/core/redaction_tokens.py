"""Keys and tokens that are known by their first letters."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from otel_guard.core.redaction_spans import Finder, Row, Span


class Shape(Struct, frozen=True, kw_only=True):
    """A literal as it is written, and what stands round it; group 1 is the secret, else all of it."""

    kind: str
    literal: str
    pattern: re.Pattern[str]
    back: int = 0  # characters of the pattern before the literal
    is_fit: Callable[[str], bool] | None = None


def finder(shape: Shape) -> Finder:
    """A finder that looks at each place of the literal once and goes on behind what it read there."""

    def find(text: str, _low: str) -> Iterator[Span]:
        literal, match, is_fit = shape.literal, shape.pattern.match, shape.is_fit
        at = text.find(literal)
        while at >= 0:
            found = match(text, max(0, at - shape.back))
            end = at + len(literal)
            if found is not None and found.end() >= end:
                end = found.end()
                if is_fit is None or is_fit(found[0]):
                    yield *found.span(found.lastindex or 0), shape.kind
            at = text.find(literal, end)

    return find


def _has_digit(token: str) -> bool:
    return any(map(str.isdigit, token))


def _is_jwt(token: str) -> bool:
    return _JWT.fullmatch(token) is not None


def _is_mixed(token: str) -> bool:
    """Tell a key from words joined by dashes."""
    return _has_digit(token) and (len(token) >= _LONG or token.lower() != token)


def _is_random(token: str) -> bool:
    """Tell a key from a name in lower case."""
    return _has_digit(token) or token.lower() != token


_JWT: Final = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]{4,}(?:\.[\w-]*){1,3}|\.eyJ[\w-]{4,}|\.[\w-]{16,})")
_LONG: Final = 40
_FREE: Final = r"(?:(?<![A-Za-z0-9\x00])|(?<=\\[nrtfb]))"  # not inside a word; `\n` may stand before it
_NAME: Final = r"[A-Za-z0-9]"
_WORD: Final = r"[A-Za-z0-9_-]"
_HEX: Final = r"[0-9a-f]"


def _shape(
    kind: str, literal: str, rest: str, *, free: bool = False, fit: Callable[[str], bool] | None = None
) -> Shape:
    start = _FREE if free else ""
    return Shape(kind=kind, literal=literal, pattern=re.compile(start + re.escape(literal) + rest), is_fit=fit)


def _shapes(kind: str, rest: str, *literals: str, free: bool = False) -> tuple[Shape, ...]:
    return tuple(_shape(kind, literal, rest, free=free) for literal in literals)


_FIRST: Final = (
    _shape("jwt", "eyJ", r"[\w-]*(?:\.[\w-]*){0,4}", fit=_is_jwt),
    _shape("private_key", "LS0tLS1CRUdJTi", r"[A-Za-z0-9+/]{40,}={0,2}"),  # -----BEGIN in base64
)
_STRIPE: Final = (
    *_shapes("stripe_key", _NAME + "{8,}", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_"),
    _shape("stripe_key", "whsec_", r"[A-Za-z0-9+/]{16,}={0,2}"),
    _shape("stripe_key", "sk_", _NAME + "{32,}", free=True),
    _shape("stripe_key", "_secret_", rf"({_NAME}{{16,}})", fit=_has_digit),  # pi_…_secret_…: the client secret
)
_AI: Final = (
    _shape("ai_key", "sk-", _WORD + "{17,}", free=True, fit=_is_mixed),
    _shape("ai_key", "AIza", _WORD + "{30,}"),
    *(
        _shape("ai_key", literal, _NAME + "{20,}", free=True, fit=_has_digit)
        for literal in ("hf_", "gsk_", "pplx-", "r8_", "xai-")
    ),
)
_CLOUD: Final = (
    *_shapes("cloud_key", r"[A-Z2-7]{16}(?![A-Z0-9\x00])", "AKIA", "ASIA", "ABIA", "ACCA"),
    _shape("cloud_key", "ya29.", _WORD + "{16,}", free=True),
    _shape("cloud_key", "GOCSPX-", _WORD + "{16,}"),
    *_shapes("cloud_key", r"([A-Za-z0-9+/%]{16,}={0,2})", "AccountKey=", "SharedAccessKey="),
    Shape(kind="cloud_key", literal="Q~", back=4, pattern=re.compile(r"[\w~.-]{3}\dQ~[\w~.-]{31,40}")),
)
_CODE: Final = (
    *_shapes("code_token", _NAME + "{20,}", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    _shape("code_token", "github_pat_", r"[A-Za-z0-9_]{22,}"),
    *_shapes(
        "code_token", _WORD + "{16,}", "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "gloas-"
    ),
    *_shapes("code_token", _WORD + "{16,}", "glagent-", "dckr_pat_", "ATATT3", "PMAK-", "figd_", "sbp_", free=True),
    *(_shape("code_token", p, _NAME + "{30,}", free=True) for p in ("npm_", "lin_api_", "rubygems_", "ATBB")),
    _shape("code_token", "pypi-", _WORD + "{32,}", free=True, fit=_is_mixed),
)
_CHAT: Final = (
    *_shapes(
        "chat_token", r"[A-Za-z0-9-]{10,}", "xoxb-", "xoxp-", "xoxa-", "xoxo-", "xoxr-", "xoxs-", "xoxe-", "xoxc-"
    ),
    *_shapes("chat_token", r"[A-Za-z0-9-]{10,}", "xoxd-", "xoxe.xoxb-", "xoxe.xoxp-", "xapp-"),
    _shape("chat_token", "hooks.slack.com/", r"((?:services|workflows|triggers)/[A-Za-z0-9/_-]{8,})"),
    _shape("chat_token", "make.com/", r"([A-Za-z0-9]{20,})"),
    _shape("chat_token", "hooks.zapier.com/", r"(hooks/[A-Za-z0-9/_-]{12,})"),
    _shape("chat_token", "/webhooks/", r"(\d{5,25}/[\w-]{20,})"),
    _shape("chat_token", "/webhookb2/", r"([^\s\"'<>]{20,})"),
    _shape("chat_token", "/webhook/", r"([A-Za-z0-9@_/-]{20,})", fit=_has_digit),
    Shape(kind="chat_token", literal=":AA", back=10, pattern=re.compile(r"\D{0,2}(\d{8,10}:AA[\w-]{30,})")),
)
_MAIL: Final = (
    _shape("mail_key", "SG.", r"[\w-]{16,}\.[\w-]{16,}", free=True),
    _shape("mail_key", "key-", rf"{_HEX}{{32}}(?![0-9a-z\x00])", free=True),
    Shape(kind="mail_key", literal="-us", back=32, pattern=re.compile(rf"{_HEX}{{32}}-us\d{{1,2}}\b")),
    *_shapes("mail_key", _WORD + "{20,}", "xkeysib-", "xsmtpsib-"),
    _shape("mail_key", "re_", rf"{_NAME}{{6,}}_{_NAME}{{12,}}", free=True, fit=_is_random),
)
_SERVICE: Final = (
    *_shapes("service_key", rf"{_HEX}{{32}}(?![0-9A-Za-z\x00])", "SK", "AC", free=True),
    _shape("service_key", "sq0", r"[a-z]{3}-[\w-]{20,}", free=True),
    _shape("service_key", "EAAA", _WORD + "{50,}", free=True),
    _shape("service_key", "access_token$", r"\w{2,20}\$\w{8,}\$\w{16,}"),
    _shape("service_key", "access-", r"(?:sandbox|development|production)-[0-9a-f-]{36}"),
    *_shapes("service_key", r"[0-9a-fA-F]{24,}", "shpat_", "shpca_", "shppa_", "shpss_", "shptka_"),
    *_shapes("service_key", _HEX + "{40,}", "dop_v1_", "doo_v1_", "dor_v1_", "phx_"),
    _shape("service_key", "pscale_", r"(?:tkn|pw|oauth)_[\w.-]{20,}"),
    *_shapes("service_key", r"[A-Za-z0-9+/=_-]{30,}", "sntrys_", "sntryu_", "sntryi_", "sntrya_"),
    _shape("service_key", "pylf_v", r"\d_[A-Za-z0-9_]{20,}"),
    *_shapes("service_key", r"[\w.-]{24,}", "hvs.", "hvb.", "NRAK-", "dapi", "rnd_", "shippo_", free=True),
)
SHAPES: Final = (*_FIRST, *_STRIPE, *_AI, *_CLOUD, *_CODE, *_CHAT, *_MAIL, *_SERVICE)
ROWS: Final[tuple[Row, ...]] = tuple((shape.literal, finder(shape)) for shape in SHAPES)  # in the text as it is written

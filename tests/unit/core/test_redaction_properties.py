"""What holds for every text."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from otel_guard.core import redaction_scan
from otel_guard.core.redaction import FAILED, Redactor, cut, redact
from otel_guard.core.redaction_keys import Keys
from otel_guard.core.redaction_sieve import triggered
from otel_guard.core.redaction_spans import lowered, merged
from tests.unit.core.corpus import leaked, planted

PLANTED = list(planted(5))
PIECES = [
    *(
        "password",
        "=",
        ": ",
        "'",
        '"',
        "\\",
        "\n",
        " ",
        "@",
        "a@b.test",
        "://",
        "4242 4242 4242 4242",
        "[redacted:card]",
        "token",
    ),
    *(
        "Authorization",
        "Bearer ",
        "[redact",
        ")=(",
        "LINE 1: ",
        "[SQL: ",
        "is ",
        "--",
        "%3D",
        "&quot;",
        "eyJ",
        "AKIA",
        "\x00",
    ),
    *(
        "cookie: ",
        "a=b",
        "123-45-6789",
        "DE89",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "sk-",
        "x",
        "7",
        ",",
    ),
    *(
        "<",
        ">",
        "</",
        "(",
        ")",
        "]",
        "\ud800",
        "é",
        "İ",
        "\uff14",
        ".",
        "basic ",
        "failed",
        FAILED,
        "value",
        "name",
        "is not",
        'File "',
    ),
]
TEXTS = st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_twice_is_once_and_nothing_fails(text: str) -> None:
    safe, counts = redact(text)

    assert "failed" not in counts
    assert redact(safe) == (safe, {})
    assert safe.encode() is not None


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PLANTED), st.text(max_size=40), st.text(max_size=40), st.integers(0, 400))
def test_a_secret_is_gone_in_any_surroundings_at_any_cut(
    planted_: tuple[tuple[str, str], str], before: str, after: str, limit: int
) -> None:
    (_, secret), text = planted_
    safe, _ = redact(f"{before}\n{text}\n{after}")

    assert not leaked(secret, safe.removeprefix(before).removesuffix(after)) or leaked(secret, before + after)
    assert not leaked(secret, cut(safe, limit)) or leaked(secret, before + after)


@settings(max_examples=300, deadline=None)
@given(ANYTHING, TEXTS)
def test_any_value_comes_out_as_json(value: object, key: str) -> None:
    redactor = Redactor()
    safe = redactor.value(key, value)

    assert redactor.failures == 0
    assert _is_json(safe)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.randoms())
def test_the_order_of_the_rules_does_not_matter(text: str, order: random.Random) -> None:
    rows = redaction_scan.Scan(Keys()).sieve
    low = lowered(text)
    finders = sorted(triggered(rows, low), key=lambda _: order.random())
    found = [span for finder in finders for span in finder(text, low)]
    shuffled = sorted(found, key=lambda _: order.random())

    assert merged(found) == merged(shuffled)


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, float):
        return value - value == 0
    return value is None or isinstance(value, str)

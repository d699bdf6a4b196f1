from urllib.parse import parse_qs, urlsplit

import pytest

from otel_guard.alerts.links import VALID_MS, acknowledge_url, check, is_key, sign

KEY = "k" * 32
ID = "01a20e88-7be1-7344-adf1-200fdad54a78"
NOW_MS = 1_795_469_400_000
EXPIRES_MS = NOW_MS + VALID_MS


def test_a_signature_is_stable_and_needs_no_quoting() -> None:
    signature = sign(KEY, ID, "acknowledge", EXPIRES_MS)

    assert signature == sign(KEY, ID.upper(), "acknowledge", EXPIRES_MS)
    assert len(signature) == 43
    assert set(signature) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_what_was_signed_is_accepted_for_a_day() -> None:
    signature = sign(KEY, ID, "acknowledge", EXPIRES_MS)

    assert check(KEY, ID, "acknowledge", EXPIRES_MS, signature, NOW_MS)
    assert check(KEY, ID, "acknowledge", EXPIRES_MS, signature, EXPIRES_MS - 1)


@pytest.mark.parametrize(
    ("key", "given_id", "action", "expires_ms", "now_ms"),
    [
        ("x" * 32, ID, "acknowledge", EXPIRES_MS, NOW_MS),
        (KEY, ID.replace("8", "9"), "acknowledge", EXPIRES_MS, NOW_MS),
        (KEY, ID, "resolve", EXPIRES_MS, NOW_MS),
        (KEY, ID, "acknowledge", EXPIRES_MS + 1, NOW_MS + 1),
        (KEY, ID, "acknowledge", EXPIRES_MS, EXPIRES_MS),
    ],
)
def test_nothing_else_is(key: str, given_id: str, action: str, expires_ms: int, now_ms: int) -> None:
    signature = sign(KEY, ID, "acknowledge", EXPIRES_MS)

    assert not check(key, given_id, action, expires_ms, signature, now_ms)


@pytest.mark.parametrize("signature", ["", "x", "ü" * 43, "\ud800", "a" * 100_000])
def test_any_text_may_come_as_a_signature(signature: str) -> None:
    assert not check(KEY, ID, "acknowledge", EXPIRES_MS, signature, NOW_MS)


@pytest.mark.parametrize("base", ["https://ops.example", "https://ops.example/guard/"])
def test_a_link_holds_what_its_page_checks(base: str) -> None:
    link = urlsplit(acknowledge_url(base, KEY, ID, NOW_MS) or "")
    query = parse_qs(link.query)

    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{base.rstrip('/')}/alerts/{ID}/acknowledge"
    assert check(KEY, ID, "acknowledge", int(query["expires"][0]), query["signature"][0], NOW_MS)


@pytest.mark.parametrize(("url", "key"), [(None, KEY), ("", KEY), ("https://x", None), ("https://x", "k" * 31)])
def test_without_an_address_or_a_long_key_there_is_no_link(url: str | None, key: str | None) -> None:
    assert acknowledge_url(url, key, ID, NOW_MS) is None


@pytest.mark.parametrize(("key", "is_long"), [(None, False), ("k" * 31, False), ("k" * 32, True), ("ü" * 16, True)])
def test_a_key_has_32_bytes(key: str | None, *, is_long: bool) -> None:
    assert is_key(key) is is_long

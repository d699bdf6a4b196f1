"""Values: by key, bounded, and always JSON."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from otel_guard.core.redaction import Redactor, cut
from tests.unit.core.corpus import leaked


class Unprintable:
    """Its text raises."""

    def __str__(self) -> str:
        raise ValueError("password=hunter2")


@pytest.mark.parametrize(
    ("key", "value", "safe"),
    [
        ("password", "hunter2", "[redacted:password]"),
        ("user.passwordHash", b"x", "[redacted:password]"),
        ("password", ["a", {"b": 1}], "[redacted:password]"),
        ("password", None, None),
        ("password", "", ""),
        ("password", "[redacted:password]", "[redacted:password]"),
        ("http.request.header.authorization", ["Bearer x"], "[redacted:authorization]"),
        ("pin", 1234, "[redacted:cvv]"),
        ("n", 12, 12),
        ("n", True, True),
        ("n", 1.5, 1.5),
        ("n", float("nan"), "nan"),
        ("n", float("-inf"), "-inf"),
        ("n", 2**63 - 1, 2**63 - 1),
        ("n", 2**63, "9223372036854775808"),
        pytest.param("n", 10**6000, "[an integer of 19932 bits]", id="a huge integer"),
        ("n", 4242424242424242, "[redacted:card]"),
        ("n", b"password=hunter2", "password=[redacted:password]"),
        ("n", b"\xff", "\\xff"),
        ("n", Decimal("1.50"), "1.50"),
        ("n", dt.date(2024, 1, 2), "2024-01-02"),
        ("n", Unprintable(), "<unprintable Unprintable>"),
        ("n", "\ud800", "\\ud800"),
        ("n", {"password": "x", "jane@example.com": 1}, {"password": "[redacted:password]", "[redacted:email]": 1}),
        ("n", {"a@b.test": 1, "c@d.test": 2}, {"[redacted:email]": 1, "[redacted:email]'": 2}),
        ("n", (b"cookie", b"a=b"), ["cookie", "[redacted:cookie]"]),
        ("n", {"name": "Authorization", "value": "x"}, {"name": "Authorization", "value": "[redacted:authorization]"}),
        ("max_tokens", 100, 100),
        ("primary_key", "id", "id"),
        ("secretary", "Jane", "Jane"),
    ],
)
def test_a_value_comes_out_as_json_without_its_secret(key: str, value: object, safe: object) -> None:
    found = Redactor().value(key, value)

    assert found == safe
    assert type(found) is type(safe)


def test_a_cycle_ends() -> None:
    ring: list[object] = []
    ring.append(ring)

    assert Redactor().value("a", ring) == ["[cut: holds itself]"]


def test_depth_keys_and_items_are_bounded_and_the_cut_says_so() -> None:
    deep: object = 1
    for _ in range(30):
        deep = {"k": deep}
    redactor = Redactor()
    wide = redactor.mapping({str(number): number for number in range(300)})
    items = redactor.value("a", list(range(300)))

    assert "[cut: deeper than 16]" in json.dumps(redactor.value("a", deep))
    assert wide["[cut]"] == "44 more keys"
    assert len(wide) == 257
    assert isinstance(items, list)
    assert items[-1] == "[cut: more than 256 items]"


def test_a_wide_tree_is_bounded_as_a_whole() -> None:
    tree: object = "x" * 1000
    for _ in range(6):
        tree = [tree] * 50

    assert len(json.dumps(Redactor().value("a", tree))) < 1_000_000


def test_allowed_keys_stay_but_for_what_cannot_be_switched_off() -> None:
    redactor = Redactor(allow_keys=["session_id"])

    assert redactor.value("sessionId", "abc123def") == "abc123def"
    assert redactor.text("session_id=abc123def") == "session_id=abc123def"
    assert redactor.value("session_id", "4242 4242 4242 4242") == "[redacted:card]"
    assert redactor.value("session_id", "db://u:pw@h") == "db://u:[redacted:url_password]@h"


def test_denied_keys_go_in_values_and_in_texts() -> None:
    redactor = Redactor(deny_keys=["customer_name"])

    assert redactor.value("customerName", "Jane") == "[redacted:denied]"
    assert redactor.text("customer-name: 'Jane Doe' x") == "customer-name: '[redacted:denied]' x"
    assert redactor.counts == {"denied": 2}


@pytest.mark.parametrize("limit", range(0, 200, 3))
def test_a_cut_keeps_head_and_tail_within_the_limit_and_no_half_mark(limit: int) -> None:
    text = "head " + "[redacted:password]" * 20 + " tail"
    short = cut(text, limit)

    assert len(short) <= limit
    assert not leaked("redacted:password]", short.replace("[redacted:password]", ""))


def test_a_text_within_the_limit_is_not_cut() -> None:
    assert cut("abc", 3) == "abc"


def test_a_cut_says_how_much_went() -> None:
    assert cut("x" * 100, 60) == "x" * 20 + "\n[cut: 63 characters]\n" + "x" * 18

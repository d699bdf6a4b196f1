"""Texts: kinds by shape, order, marks, failure and size."""

import random
from collections import Counter

import pytest

from otel_guard.core.redaction import FAILED, Redactor, redact
from tests.unit.core.corpus import Secret, cards, iban, leaked, luhn, planted, shaped, spellings

SHAPED = shaped(random.Random(7))


@pytest.mark.parametrize("secret", SHAPED, ids=[f"{at}-{secret.kind}" for at, secret in enumerate(SHAPED)])
def test_a_secret_is_known_by_its_shape_and_named_by_its_kind(secret: Secret) -> None:
    safe, counts = redact(f"failed for {secret.text} today")

    assert safe == f"failed for [redacted:{secret.kind}] today"
    assert counts == {secret.kind: 1}


@pytest.mark.parametrize("card", list(cards(random.Random(1))))
def test_a_card_goes_in_every_spelling(card: str) -> None:
    for spelling in spellings(card):
        safe, counts = redact(f"paid with {spelling} today")

        assert counts == {"card": 1}, spelling
        assert not any(char.isdigit() for char in safe)


@pytest.mark.parametrize(
    "text",
    [luhn("4", 16, random.Random(2))[:-1] + "x", "0000000000000000", "4444444444444444", "1234567890123452"],
)
def test_digits_that_are_no_card_stay(text: str) -> None:
    assert redact(text)[0] == text


def test_an_iban_with_wrong_check_digits_stays() -> None:
    right = iban("DE", "370400440532013000")
    wrong = "DE" + f"{(int(right[2:4]) + 1) % 97:02d}" + right[4:]

    assert redact(right)[0] == "[redacted:iban]"
    assert redact(wrong)[0] == wrong


def test_the_union_of_overlapping_finds_goes_and_the_earlier_rule_names_it() -> None:
    key = "sk_" + "live_" + "a1" * 12

    assert redact(f"password={key}!x y")[0] == "password=[redacted:stripe_key] y"
    assert redact(f"Authorization: Basic {key}, more\nnext")[0] == "Authorization: [redacted:stripe_key]\nnext"


def test_a_mark_that_somebody_invented_hides_nothing() -> None:
    assert redact("password=[redacted:email]hunter2") == (
        "password=[redacted:email][redacted:password]",
        {"password": 1},
    )
    assert redact("password='[redacted:hunter2] hunter3'")[0] == "password='[redacted:password]'"


class Breaking(str):
    """A text on which the scan raises."""

    __slots__ = ()

    def lower(self) -> str:
        raise RuntimeError("hunter2")


def test_a_rule_that_raises_leaks_nothing() -> None:
    text = Breaking("password=hunter2")
    redactor = Redactor()

    assert redactor.text(text) == FAILED
    assert redactor.failures == 1
    assert redact(text) == (FAILED, {"failed": 1})


def test_nul_and_lone_surrogates_are_made_visible() -> None:
    assert redact("a\x00b\udce9c")[0] == "a\\x00b\\udce9c"


def test_the_middle_of_a_text_above_the_limit_goes_with_the_keys_at_the_cut() -> None:
    key = "sk_" + "live_" + "a1" * 40
    for shift in range(0, 100, 7):
        text = "x" * (32_768 - shift) + " " + key + " " + "y\n" * 30_000 + key + "z " * 16_384
        safe, _ = redact(text)

        assert len(safe) < 67_000
        assert not leaked(key, safe)


def test_the_source_of_a_traceback_stays_but_for_its_literals() -> None:
    text = (
        "Traceback (most recent call last):\n"
        '  File "/app/pay.py", line 12, in charge\n'
        "    client = connect(user=user, password=secret_of_user, token=token)\n"
        '  File "/app/pay.py", line 40, in connect\n'
        '    return Client(password="hunter2", token=self._token)\n'
        "           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "ConnectionError: password=hunter2 refused\n"
    )

    assert redact(text) == (text.replace("hunter2", "[redacted:password]"), {"password": 2})


def test_the_corpus_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    found: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    secrets = set()
    for secret, text in (*planted(11), *planted(12)):
        secrets.add(secret.text)
        (missed if leaked(secret.text, redact(text)[0]) else found)[secret.kind] += 1

    with capsys.disabled():
        total = found.total() + missed.total()
        print(f"\nredaction: {len(secrets)} secrets in {total} texts, recall {found.total() / total:.2%}")  # noqa: T201
    assert len(secrets) >= 150
    assert not missed

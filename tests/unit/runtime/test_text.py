import pytest

from otel_guard.runtime.text import safe_text


class Broken:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __str__(self) -> str:
        raise self.error


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        (12, "12"),
        ("a\x00b", "a\\x00b"),
        ("caf\udce9", "caf\\udce9"),
        ("é\U0001f600", "é\U0001f600"),
        (Broken(ValueError()), "<unprintable Broken>"),
        (Broken(SystemExit()), "<unprintable Broken>"),
    ],
)
def test_anything_becomes_valid_text(value: object, expected: str) -> None:
    assert safe_text(value) == expected
    safe_text(value).encode()


def test_long_text_is_cut() -> None:
    assert safe_text("x" * 100, 10) == "x" * 10


def test_an_interrupt_passes() -> None:
    with pytest.raises(KeyboardInterrupt):
        safe_text(Broken(KeyboardInterrupt()))

import pytest

from otel_guard.core.duration import seconds, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", 0),
        ("90s", 90),
        ("10m", 600),
        (" 1H ", 3600),
        ("7d", 604800),
        ("2w", 1209600),
        ("10 minutes", None),
        ("10 m", None),
        ("1h30m", None),
        ("-5m", None),
        ("1.5h", None),
        ("10", None),
        ("m", None),
        ("", None),
        ("\N{ARABIC-INDIC DIGIT ONE}s", None),
        ("9999999s", None),
    ],
)
def test_a_duration_is_a_number_and_one_letter(text: str, expected: float | None) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (0, "0 s"),
        (0.25, "0.25 s"),
        (25, "25 s"),
        (60, "60 s"),
        (90, "90 s"),
        (120, "2 min"),
        (150, "150 s"),
        (600, "10 min"),
        (3600, "60 min"),
        (5400, "90 min"),
        (7200, "2 h"),
        (86400, "24 h"),
        (1209600, "14 d"),
        (100_000, "28 h"),
    ],
)
def test_seconds_are_shown_as_people_say_them(given: float, expected: str) -> None:
    assert shown(given) == expected

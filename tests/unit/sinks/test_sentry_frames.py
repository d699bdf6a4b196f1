import json
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_guard.sinks.sentry_frames import Frame, Raised, parse


def plain() -> None:
    raise ValueError("first line\nsecond: line")


def caused() -> None:
    try:
        plain()
    except ValueError as error:
        raise KeyError("x") from error


def in_the_except() -> None:
    try:
        plain()
    except ValueError:
        json.loads("{")


def group() -> None:
    raise ExceptionGroup("three", [ValueError("a | b"), ExceptionGroup("inner", [KeyError("k"), OSError(2, "no")])])


def empty() -> None:
    raise RuntimeError


def deep(n: int = 30) -> None:
    if n:
        deep(n - 1)
    raise RecursionError("deep")


def remote() -> None:
    raise RuntimeError('in the worker:\nTraceback (most recent call last):\n  File "w.py", line 1, in w\nOSError: x')


def text_of(raiser: Callable[[], None]) -> str:
    try:
        raiser()
    except Exception:
        return traceback.format_exc()
    raise AssertionError


@pytest.mark.parametrize(
    ("raiser", "expected"),
    [
        (plain, [("ValueError", "first line\nsecond: line", None, "plain")]),
        (
            caused,
            [("ValueError", "first line\nsecond: line", None, "plain"), ("KeyError", "'x'", "__cause__", "caused")],
        ),
        (
            in_the_except,
            [
                ("ValueError", "first line\nsecond: line", None, "plain"),
                (
                    "json.decoder.JSONDecodeError",
                    "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
                    "__context__",
                    "raw_decode",
                ),
            ],
        ),
        (empty, [("RuntimeError", "", None, "empty")]),
        (deep, [("RecursionError", "deep", None, "deep")]),
        (
            group,
            [
                ("ExceptionGroup", "three (2 sub-exceptions)", None, "group"),
                ("ValueError", "a | b", "exceptions", None),
                ("ExceptionGroup", "inner (2 sub-exceptions)", "exceptions", None),
                ("KeyError", "'k'", "exceptions", None),
                ("FileNotFoundError", "[Errno 2] no", "exceptions", None),
            ],
        ),
    ],
)
def test_exceptions_are_read_in_the_order_of_the_text(
    raiser: Callable[[], None], expected: list[tuple[str, str, str | None, str | None]]
) -> None:
    found = parse(text_of(raiser))

    assert [
        (one.type, one.value, one.link, one.frames[-1].function if one.frames else None) for one in found
    ] == expected


def test_frames_are_those_of_the_traceback() -> None:
    try:
        caused()
    except KeyError as error:
        wanted = [(s.filename, s.lineno, s.name, s.line) for s in traceback.extract_tb(error.__traceback__)]
        (_, last) = parse(traceback.format_exc())

    assert [(frame.path, frame.line, frame.function, frame.source) for frame in last.frames] == wanted


def test_a_remote_traceback_in_a_message_stays_one_exception() -> None:
    (one,) = parse(text_of(remote))

    assert one.type == "RuntimeError"
    assert one.value.startswith("in the worker:")
    assert one.value.endswith("OSError: x")


@pytest.mark.parametrize(
    ("path", "in_app", "relative"),
    [
        ("/srv/shop/app/views.py", True, "app/views.py"),
        ("/srv/shop/.venv/lib/python3.11/site-packages/stripe/_error.py", False, "stripe/_error.py"),
        ("/usr/lib/python3/dist-packages/flask/app.py", False, "flask/app.py"),
        ("/usr/lib/python3.12/json/decoder.py", False, "json/decoder.py"),
        ("<frozen importlib._bootstrap>", False, "<frozen importlib._bootstrap>"),
        ("/elsewhere/x.py", True, "/elsewhere/x.py"),
    ],
)
def test_installed_code_is_not_the_applications(path: str, in_app: bool, relative: str) -> None:
    frame = Frame(path, 1, "f")

    assert (frame.in_app, frame.relative("/srv/shop")) == (in_app, relative)


def test_a_text_that_is_no_traceback_is_one_exception_without_frames() -> None:
    assert parse("it broke") == (Raised("Error", "it broke"),)
    assert parse("") == ()


@given(st.text(alphabet='Tracebk (mostrn):\n| +-1,"File line.py', max_size=400))
def test_any_text_is_read(text: str) -> None:
    parse("Exception Group Traceback (most recent call last):\n" + text)

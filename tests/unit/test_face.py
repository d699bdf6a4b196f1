"""The public names: what they are called, how they are called, and what they do before configure()."""

import inspect
import subprocess
import sys
from types import ModuleType

import pytest

import otel_guard
from otel_guard.core.exceptions import NotConfiguredError, OtelGuardError

NAMES = [
    "Context",
    "Guard",
    "OtelGuardError",
    "Settings",
    "Severity",
    "capture_error",
    "close",
    "configure",
    "current",
    "flush",
    "user",
    "watch",
    "webhook",
]
SIGNATURES = {
    "configure": "(*, settings: Settings | None = None, **overrides: object) -> Guard",
    "capture_error": (
        "(exc: BaseException | None = None, *, context: Context | None = None, severity: Severity | None = None, "
        "user_id: object = None, metadata: Mapping[str, object] | None = None) -> str | None"
    ),
    "watch": "(name: str, *, context: Context = 'other', system: str | None = None, severity: Severity | None = None)",
    "user": "(user_id: object) -> None",
    "flush": "(timeout_s: float = 5.0) -> bool",
    "close": "(timeout_s: float | None = None) -> None",
    "current": "() -> Guard",
}
UNCONFIGURED = """
import otel_guard

@otel_guard.watch("work")
def work():
    return 7

assert work() == 7
with otel_guard.watch("block"):
    pass
try:
    raise ValueError("seen by nobody")
except ValueError as error:
    assert otel_guard.capture_error(error) is None
assert otel_guard.user(1) is None
assert otel_guard.flush() is False
assert otel_guard.close() is None
try:
    otel_guard.current()
except otel_guard.OtelGuardError as error:
    print(error)
"""
HEAVY = ("opentelemetry", "sentry_sdk", "psycopg", "msgspec", "typer", "rich", "urllib3")
LIGHT = f"import sys, otel_guard; print([name for name in {HEAVY} if name in sys.modules])"


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_public_names_are_these() -> None:
    assert otel_guard.__all__ == NAMES
    assert dir(otel_guard) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(otel_guard, name)

    assert not isinstance(found, ModuleType)
    if name not in {"Context", "Severity"}:  # Literals
        assert found.__doc__


@pytest.mark.parametrize(("name", "expected"), SIGNATURES.items(), ids=SIGNATURES)
def test_signatures_are_the_contract(name: str, expected: str) -> None:
    function = getattr(otel_guard, name)
    kept = [
        (each.name, each.kind, each.default) for each in inspect.signature(function, eval_str=False).parameters.values()
    ]
    namespace: dict[str, object] = {}
    exec(f"from __future__ import annotations\ndef contract{expected}: ...", namespace)
    contract = inspect.signature(namespace["contract"])  # type: ignore[arg-type]

    assert kept == [(each.name, each.kind, each.default) for each in contract.parameters.values()]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'otel_guard' has no attribute 'configur'"):
        _ = otel_guard.configur


def test_importing_it_loads_nothing_heavy() -> None:
    assert run(LIGHT) == "[]"


def test_before_configure_every_function_does_nothing_and_current_says_what_to_do() -> None:
    assert "otel_guard.configure()" in run(UNCONFIGURED)


def test_disabled_is_like_not_configured() -> None:
    code = UNCONFIGURED.replace("import otel_guard\n", "import otel_guard\notel_guard.configure(enabled=False)\n", 1)

    assert run(code) == ""


def test_our_exceptions_have_one_root() -> None:
    assert issubclass(NotConfiguredError, OtelGuardError)
    assert str(OtelGuardError()) == OtelGuardError.__doc__

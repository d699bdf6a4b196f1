"""The face as users type it; mypy reads it in `make check`, nothing runs it."""

from collections.abc import AsyncIterator
from typing import assert_type

import otel_guard
from otel_guard import Context, Guard, OtelGuardError, Settings, Severity


def configuring() -> None:
    assert_type(otel_guard.configure(), Guard)
    assert_type(otel_guard.configure(slow_database_ms=200, journal_dir="/var/lib/shop"), Guard)
    assert_type(otel_guard.configure(settings=Settings()), Guard)
    assert_type(otel_guard.current().settings, Settings)
    assert_type(otel_guard.current().problems, tuple[str, ...])
    with otel_guard.configure() as guard:
        assert_type(guard, Guard)


def reporting(exc: ValueError, context: Context, severity: Severity) -> None:
    assert_type(otel_guard.capture_error(), str | None)
    assert_type(otel_guard.capture_error(exc, context=context, severity=severity), str | None)
    assert_type(otel_guard.capture_error(exc, context="payment", user_id=7, metadata={"order": 4711}), str | None)
    otel_guard.capture_error(exc, severity="urgent")  # type: ignore[arg-type]
    otel_guard.capture_error(exc, "payment")  # type: ignore[call-arg]


@otel_guard.watch("invoice", context="payment", severity="high")
def invoice(order: int, *, copies: int = 1) -> list[bytes]:
    return [b"invoice %d" % order] * copies


@otel_guard.watch("lookup", system="warehouse")
async def lookup(sku: str) -> int:
    return len(sku)


async def watching() -> AsyncIterator[int]:
    assert_type(invoice(1, copies=2), list[bytes])
    invoice("1")  # type: ignore[arg-type]
    assert_type(await lookup("tea"), int)
    with otel_guard.watch("block"):
        yield 1


def ending() -> None:
    otel_guard.user(7)
    assert_type(otel_guard.flush(), bool)
    assert_type(otel_guard.flush(2.0), bool)
    otel_guard.close(1.0)
    assert issubclass(OtelGuardError, Exception)

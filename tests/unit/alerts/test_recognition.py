from datetime import UTC, datetime

import pytest

from otel_guard.alerts.recognition import MOST_AMENDED, Recognition
from otel_guard.core.delivery import Batch
from otel_guard.core.incident import Opening
from otel_guard.core.record import Amendment, Drops, ErrorRecord, Head, Record, Repeat

NOON_MS = 1_795_521_600_000
HEAD = Head(version=1, writer_id="w", number=1, service="shop", environment="prod", release="a1b2c3d", host="web-1")


def made_id(at_ms: int, number: int = 0) -> str:
    text = f"{at_ms:012x}7000{0x8000_0000_0000_0000 + number:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def error(**fields: object) -> ErrorRecord:
    values: dict[str, object] = {
        "id": made_id(NOON_MS),
        "seq": 1,
        "error_type": "OperationalError",
        "message": "connection refused, at length",
        "context": "database",
        "severity": "critical",
        "fingerprint": "f" * 16,
        "title": "OperationalError: connection refused",
        "parts": (),
        "metadata": {
            "place": {"code.file.path": "shop/orders.py", "code.line.number": 88, "code.function.name": "pay"}
        },
        "route": "POST /checkout",
    }
    return ErrorRecord(**(values | fields))  # type: ignore[arg-type]


def repeat(n: int, **fields: object) -> Repeat:
    values: dict[str, object] = {
        "id": made_id(NOON_MS + 5000),
        "seq": 2,
        "n": n,
        "error_type": "OperationalError",
        "message": "m",
        "context": "database",
        "severity": "critical",
        "fingerprint": "f" * 16,
        "title": "OperationalError: connection refused",
        "parts": (),
    }
    return Repeat(**(values | fields))  # type: ignore[arg-type]


def amendment(number: int = 0, **fields: object) -> Amendment:
    values: dict[str, object] = {
        "id": made_id(NOON_MS, number),
        "fingerprint": "e" * 16,
        "title": "ValueError: no price",
        "of_context": "api",
        "of_severity": "medium",
        "severity": "critical",
    }
    return Amendment(**(values | fields))  # type: ignore[arg-type]


def openings(*records: Record, recognition: Recognition | None = None) -> tuple[Opening, ...]:
    return (recognition or Recognition()).openings(Batch(head=HEAD, records=records), NOON_MS + 60_000)


def test_a_critical_error_opens_critical_error_by_its_fingerprint() -> None:
    assert openings(error()) == (
        Opening(
            type="critical_error",
            rule="critical_error",
            dedup_key=f"critical_error:prod:shop:{'f' * 16}",
            severity="critical",
            message="OperationalError: connection refused",
            context="database",
            service="shop",
            environment="prod",
            release="a1b2c3d",
            labels={"fingerprint": "f" * 16, "error_type": "OperationalError"},
            top=("`OperationalError` shop/orders.py:88 in pay · POST /checkout",),
            occurrences=1,
            impact_started_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
        ),
    )


@pytest.mark.parametrize(
    ("record", "alerts"),
    [
        (error(severity="high"), False),
        (error(severity="high", context="payment"), True),
        (error(severity="medium", context="payment"), False),
        (repeat(3), True),
        (repeat(3, severity="low"), False),
        (amendment(), True),
        (amendment(severity="high"), False),
        (amendment(severity="high", of_context="payment"), True),
        (amendment(severity=None, context="payment", of_severity="high"), True),
        (amendment(severity="low", of_severity="critical"), False),
        (amendment(severity=None), False),
        (amendment(severity="critical", of_severity="high", of_context="payment"), False),
        (amendment(severity="low", of_severity="high", context="payment", final=False), True),
        (amendment(severity="low", of_severity="high", context="payment", final=True), False),
        (Drops(id=made_id(NOON_MS), reason="quota", kind="error", n=1, first_at_ms=0, last_at_ms=0), False),
    ],
)
def test_who_alerts_at_once(record: Record, alerts: bool) -> None:
    assert bool(openings(record)) is alerts


def test_one_fingerprint_is_one_opening_with_all_occurrences_and_the_first_time() -> None:
    (opening,) = openings(repeat(30), error(), repeat(4), error(id=made_id(NOON_MS + 9000)))

    assert (opening.occurrences, opening.impact_started_at) == (36, datetime(2026, 11, 24, 12, tzinfo=UTC))
    assert opening.top == ("`OperationalError` shop/orders.py:88 in pay · POST /checkout",)


def test_kinds_stay_apart() -> None:
    assert len(openings(error(), error(fingerprint="a" * 16), amendment())) == 3


def test_a_record_amended_twice_counts_once() -> None:
    recognition = Recognition()

    assert [len(openings(amendment(), recognition=recognition)) for _ in range(3)] == [1, 0, 0]


def test_what_is_remembered_of_amendments_is_bounded() -> None:
    recognition = Recognition()
    for number in range(MOST_AMENDED + 5):
        openings(amendment(number), recognition=recognition)

    assert len(recognition._amended) == MOST_AMENDED


def test_what_comes_an_hour_late_is_counted_and_not_alerted() -> None:
    recognition = Recognition()
    old = NOON_MS - 3_600_000

    assert openings(error(id=made_id(old)), repeat(7, id=made_id(old)), recognition=recognition) == ()
    assert recognition.late == 8


def test_an_amendment_is_named_by_its_title() -> None:
    (opening,) = openings(amendment())

    assert opening.labels["error_type"] == "ValueError"
    assert opening.top == ()

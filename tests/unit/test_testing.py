import gc
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from smtplib import SMTP
from typing import Any

import pytest
import requests
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import otel_guard
from otel_guard import guard, testing
from otel_guard.core.exceptions import NotConfiguredError
from otel_guard.core.record import ErrorRecord, Repeat, SlowCall
from otel_guard.demo.standins import stripe as standin
from otel_guard.runtime.clock import SYSTEM

BOTH = pytest.mark.usefixtures("configured")


class BillingError(Exception):
    pass


def refuse(text: str = "no card") -> None:
    raise BillingError(text)


def fail(text: str = "no card", **said: Any) -> None:
    try:
        refuse(text)
    except BillingError as error:
        otel_guard.capture_error(error, **said)


@pytest.fixture(params=["without a guard", "within a guard"])
def configured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As an application's tests are: with and without `configure()` at its import."""
    monkeypatch.setattr(guard, "_current", None)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    for name in ("OTEL_GUARD_DSN", "SENTRY_DSN"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "without a guard":
        yield
        return
    # A guard of this process would set a provider for good: this one has all but that.
    with testing.recorded():
        yield


@BOTH
def test_an_error_is_recorded_as_the_row_will_be() -> None:
    with testing.recorded() as records:
        fail(context="payment", severity="critical", user_id=7, metadata={"order": 3})

    (record,) = records
    assert isinstance(record, ErrorRecord)
    assert (record.context, record.severity, record.user_id) == ("payment", "critical", "7")
    assert record.error_type.endswith("BillingError")
    assert record.metadata["order"] == 3


@BOTH
def test_what_becomes_known_later_is_merged_into_the_error() -> None:
    with testing.recorded() as records:
        try:
            with otel_guard.watch("charge", context="payment"):
                refuse()
        except BillingError as error:
            otel_guard.capture_error(error, severity="critical", metadata={"order": 3})

    (record,) = records
    assert (record.context, record.severity, record.metadata["order"]) == ("payment", "critical", 3)


@BOTH
def test_records_stand_in_their_order() -> None:
    with testing.recorded() as records:
        fail("one", context="payment")
        fail("two", context="email")

    assert [record.message for record in records] == ["one", "two"]


@BOTH
def test_a_storm_ends_with_its_count() -> None:
    with testing.recorded() as records:
        for _ in range(300):
            fail()

    errors = [record for record in records if isinstance(record, ErrorRecord)]
    repeats = [record for record in records if isinstance(record, Repeat)]
    assert isinstance(records[-1], Repeat)
    assert len(errors) + sum(repeat.n for repeat in repeats) == 300


@BOTH
def test_a_block_does_not_know_of_the_storm_in_another() -> None:
    for _ in range(3):
        with testing.recorded() as records:
            for _ in range(60):
                fail()

        assert isinstance(records[0], ErrorRecord)


@BOTH
def test_a_library_is_watched() -> None:
    stripe = pytest.importorskip("stripe")
    server = standin.start()
    client = stripe.StripeClient("sk_" + "test_x", base_addresses={"api": server.url}, max_network_retries=0)
    try:
        with testing.recorded() as records, pytest.raises(stripe.CardError):
            client.v1.payment_intents.create(
                {"amount": 100, "currency": "eur", "payment_method": "pm_card_chargeDeclined", "confirm": True}
            )
    finally:
        server.stop()

    (record,) = records
    assert (record.context, record.system, record.error_class) == ("payment", "stripe", "declined")


def test_a_slow_call_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_current", None)
    monkeypatch.setenv("OTEL_GUARD_SLOW_PAYMENT_MS", "1")
    with testing.recorded() as records, otel_guard.watch("charge", context="payment"):
        SYSTEM.sleep(0.01)

    (record,) = records
    assert isinstance(record, SlowCall)
    assert record.type == "payment_call"


@BOTH
def test_an_exception_leaves_the_block_untouched() -> None:
    error = BillingError("mine")
    with pytest.raises(BillingError) as raised, testing.recorded():
        raise error

    assert raised.value is error


@BOTH
def test_a_log_of_an_exception_is_recorded() -> None:
    with testing.recorded() as records:
        try:
            refuse()
        except BillingError:
            logging.getLogger("shop").exception("billing failed")

    (record,) = records
    assert record.metadata["logged"]["logger"] == "shop"


@BOTH
def test_blocks_in_several_threads_hear_all_of_the_process() -> None:
    meet = threading.Barrier(4, timeout=10)

    def work(number: int) -> list[Any]:
        with testing.recorded() as records:
            meet.wait()
            fail(f"of {number}")
            meet.wait()
        return records

    with ThreadPoolExecutor(4) as pool:
        heard = list(pool.map(work, range(4)))

    assert [sorted(record.message for record in records) for records in heard] == [
        [f"of {number}" for number in range(4)]
    ] * 4


@BOTH
def test_within_another_block_both_hear() -> None:
    with testing.recorded() as outer:
        with testing.recorded() as inner:
            fail("inside")
        fail("outside")

    assert [record.message for record in inner] == ["inside"]
    assert [record.message for record in outer] == ["inside", "outside"]


def test_flush_says_that_all_is_delivered_and_configure_gives_the_block_s_guard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "_current", None)
    with testing.recorded() as records:
        made = otel_guard.configure(dsn="postgresql://nobody@127.0.0.1:1/none")
        fail()

        assert otel_guard.flush()
        assert made.settings.dsn is None
    assert len(records) == 1


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_current", None)
    threads = {thread.ident for thread in threading.enumerate()}
    patched = requests.Session.send, SMTP.sendmail, logging.Logger.callHandlers, threading.excepthook
    provider = trace.get_tracer_provider()
    with testing.recorded(), otel_guard.watch("charge", context="payment"):
        assert SMTP.sendmail is not patched[1]

    assert {thread.ident for thread in threading.enumerate()} == threads
    assert (requests.Session.send, SMTP.sendmail, logging.Logger.callHandlers, threading.excepthook) == patched
    assert trace.get_tracer_provider() is provider
    with pytest.raises(NotConfiguredError):
        otel_guard.current()


def test_the_application_s_provider_is_listened_to_and_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_current", None)
    provider = TracerProvider(shutdown_on_exit=False)
    sampler = provider.sampler
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    tracer = provider.get_tracer("shop")
    with (
        testing.recorded() as records,
        pytest.raises(BillingError),
        tracer.start_as_current_span("GET /", kind=trace.SpanKind.SERVER),
    ):
        refuse()

    assert len(records) == 1
    assert provider.sampler is sampler
    assert provider._active_span_processor._span_processors == ()
    provider.shutdown()


def test_what_is_imported_after_a_block_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_current", None)
    with testing.recorded():
        engine = otel_guard.current().engine

    assert engine is not None
    assert engine.status() == ()
    gc.collect()


def test_it_is_no_member_of_the_face() -> None:
    assert "testing" not in otel_guard.__all__
    assert "testing" not in dir(otel_guard)

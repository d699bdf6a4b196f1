import msgspec
import pytest

from otel_guard.doctor.libraries import child_environment, judged
from otel_guard.doctor.probing import Probed
from otel_guard.instrumentation._libraries import LIBRARIES, Library

STRIPE = next(library for library in LIBRARIES if library.name == "stripe")
WHOLE = Probed(
    name="stripe",
    status="watched",
    requires="stripe >= 8",
    good=("create payment_intent",),
    failing=("create payment_intent",),
    is_error=True,
    scopes=("otel_guard",),
    records=1,
    is_measured=True,
)


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({}, "ok", "1 span a call, error, record, metric"),
        (
            {"good": ("a", "b"), "scopes": ("otel_guard", "foreign")},
            "failed",
            "2 spans a call (by otel_guard, foreign)",
        ),
        ({"failing": ("a", "b")}, "failed", "2 spans a call"),
        ({"good": ()}, "failed", "a call made no span"),
        ({"failing": ()}, "failed", "a failing call made no span"),
        ({"is_error": False}, "failed", "not marked as one"),
        ({"records": 0}, "failed", "makes no record"),
        ({"records": 2}, "failed", "2 records of one failing call"),
        ({"noise": 1}, "failed", "the good call makes a record"),
        ({"is_measured": False}, "failed", "its metric does not arrive"),
        ({"is_traced_on": False}, "failed", "traceparent is not sent along"),
        ({"status": "partial", "detail": "missing: stripe.x"}, "warning", "watched in part: missing: stripe.x"),
        ({"status": "unsupported", "detail": "missing: stripe.x"}, "failed", "its calls are not watched: missing"),
        ({"status": "failed", "said": ("ours broke",)}, "failed", "ours broke"),
        ({"trouble": "import: ImportError: no x"}, "failed", "import: ImportError: no x"),
        ({"requires": "stripe >= 99", "good": (), "status": "waiting"}, "failed", "out of range (stripe >= 99)"),
        ({"requires": "stripe >= 99"}, "ok", "1 span a call"),
    ],
)
def test_a_row_says_what_arrived(changes: dict[str, object], status: str, words: str) -> None:
    finding = judged(STRIPE, msgspec.structs.replace(WHOLE, **changes))

    assert finding.status == status
    assert words in finding.detail
    assert bool(finding.fix) is (status != "ok")


def test_a_library_without_a_metric_is_not_asked_for_one() -> None:
    botocore = Library("botocore", "botocore", "", "")
    probed = msgspec.structs.replace(WHOLE, name="botocore", requires="", is_measured=False)

    assert judged(botocore, probed).detail == "1 span a call, error, record"


def test_nothing_of_the_user_s_targets_reaches_the_child() -> None:
    given = {
        "PATH": "/bin",
        "OTEL_GUARD_DSN": "postgresql://x",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        "OTEL_PROPAGATORS": "tracecontext",
        "SENTRY_DSN": "https://x",
        "SLACK_WEBHOOK_URL": "https://y",
        "HTTP_PROXY": "http://proxy",
        "PYTHONPATH": "/app",
    }
    kept = child_environment(given)

    assert kept == {
        "PATH": "/bin",
        "OTEL_PROPAGATORS": "tracecontext",
        "HTTP_PROXY": "http://proxy",
        "PYTHONPATH": "/app",
        "NO_PROXY": "*",
        "no_proxy": "*",
        "PYTHONWARNINGS": "ignore",
    }

import pytest

from otel_guard.core.passive import Probe, Ring, judge

NOON_MS = 1_700_000_000_000


def ring(calls: str, *, ms: float = 10.0, slow_ms: float = 500.0, every_ms: int = 100, end_ms: int = NOON_MS) -> Ring:
    """A ring that saw *calls* ending now: `.` good, `x` failed, `k` key refused, `s` good but slow."""
    made = Ring(slow_ms)
    for number, letter in enumerate(calls):
        at_ms = end_ms - (len(calls) - 1 - number) * every_ms
        sign = "ok" if letter in ".s" else "credentials" if letter == "k" else "failed"
        made.observe(sign, None if sign == "ok" else "server", 900.0 if letter == "s" else ms, at_ms)  # type: ignore[arg-type]
    return made


def passed(*, at_ms: int = NOON_MS, status: str = "healthy", is_deciding: bool = True) -> Probe:
    return Probe(status=status, at_ms=at_ms, latency_ms=40.0, is_deciding=is_deciding)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        (".....", "healthy"),
        ("xx...", "healthy"),
        ("xxx..", "unhealthy"),
        ("x.x.x.", "unhealthy"),
        ("." * 40 + "xxxxx", "unhealthy"),
        ("." * 40 + "xxxx", "healthy"),
        ("." * 36 + "x.x.x.x.", "healthy"),
        ("." * 32 + "x.x.x.x.", "degraded"),
        ("." * 15 + "xx..", "healthy"),  # degraded needs 20
        ("." * 19 + "s", "healthy"),
        ("." * 18 + "ss", "degraded"),
        ("." * 10 + "ss", "healthy"),
        ("xxxxx...", "healthy"),  # three in a row: over
        ("xxxxx..", "unhealthy"),
        ("....k", "healthy"),
        ("kkkkk", "unhealthy"),
        ("k", "unhealthy"),
        ("k.", "unknown"),
        ("....", "unknown"),
        ("xxxx", "unknown"),
    ],
)
def test_the_last_minute_is_judged(calls: str, expected: str) -> None:
    assert judge(ring(calls), NOON_MS).status == expected


def test_a_refused_key_is_said() -> None:
    assert judge(ring("kk"), NOON_MS).message == "credentials"


def test_the_figures_are_those_of_the_window() -> None:
    verdict = judge(ring("." * 30 + "xxxxx"), NOON_MS)

    assert (verdict.source, verdict.samples, verdict.latency_ms) == ("passive", 35, 10.0)
    assert verdict.error_rate == pytest.approx(1 / 7)
    assert verdict.message == "5 of 35 calls failed"


@pytest.mark.parametrize(
    ("circuit", "expected"),
    [("open", "unhealthy"), ("half_open", "degraded"), ("closed", "healthy"), (None, "healthy")],
)
def test_a_breaker_counts(circuit: str | None, expected: str) -> None:
    assert judge(ring("." * 20), NOON_MS, circuit=circuit).status == expected


def test_an_open_breaker_needs_no_call() -> None:
    assert judge(None, NOON_MS, circuit="open").message == "circuit open"


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (passed(), ("healthy", "active")),
        (passed(status="unhealthy"), ("unhealthy", "active")),
        (None, ("unknown", None)),
    ],
)
def test_on_thin_traffic_the_probe_decides(probe: Probe | None, expected: tuple[str, str | None]) -> None:
    verdict = judge(ring("...x"), NOON_MS, probe=probe)

    assert (verdict.status, verdict.source) == expected


def test_without_a_probe_five_minutes_decide() -> None:
    slow_going = ring("xx.x.x", every_ms=30_000)

    assert judge(slow_going, NOON_MS).status == "unhealthy"
    assert judge(slow_going, NOON_MS + 301_000).status == "unknown"


def test_nothing_seen_and_nobody_to_ask_is_not_configured() -> None:
    assert judge(None, NOON_MS).status == "not_configured"
    assert judge(Ring(), NOON_MS).status == "unknown"


def test_a_probe_that_proves_the_edge_only_ends_unknown() -> None:
    edge = passed(is_deciding=False)

    assert judge(ring("..."), NOON_MS, probe=edge).status == "healthy"
    assert judge(ring("xxxxxx", every_ms=30_000), NOON_MS, probe=edge).status == "unhealthy"
    assert judge(None, NOON_MS, probe=edge).status == "healthy"


@pytest.mark.parametrize(
    ("calls", "probe", "expected"),
    [
        ("xxxxx", None, "unhealthy"),
        ("xxxxx", passed(at_ms=NOON_MS + 120_000), "unhealthy"),  # the probe alone does not end it
        ("xxxxx.", passed(at_ms=NOON_MS + 120_000), "healthy"),  # with one real success it does
        ("xxxxx.", passed(at_ms=NOON_MS - 120_000), "unhealthy"),  # not if it passed before the failures
        ("xxxxx.", passed(at_ms=NOON_MS + 120_000, is_deciding=False), "unhealthy"),
        ("xxxxx...", None, "healthy"),
    ],
)
def test_an_outage_lasts_until_something_succeeds(calls: str, probe: Probe | None, expected: str) -> None:
    now_ms = NOON_MS + 120_000  # the last minute is empty

    assert judge(ring(calls), now_ms, was="unhealthy", probe=probe).status == expected


def test_an_outage_does_not_end_by_its_rate_falling() -> None:
    calls = ring("..x..x..")

    assert judge(calls, NOON_MS).status == "healthy"
    assert judge(calls, NOON_MS, was="unhealthy").status == "unhealthy"


def test_an_outage_that_nobody_saw_for_five_minutes_is_the_probes_to_end() -> None:
    assert judge(ring("xxxxx"), NOON_MS + 301_000, was="unhealthy", probe=passed(at_ms=NOON_MS + 300_000)).status == (
        "healthy"
    )


@pytest.mark.parametrize("shift_s", [-3600, 3600])
def test_a_clock_that_jumps_does_not_leave_old_calls_in(shift_s: int) -> None:
    made = ring("xxxxxx")
    for number in range(6):
        made.observe("ok", None, 10.0, NOON_MS + shift_s * 1000 + number)

    window = made.window(NOON_MS + shift_s * 1000)
    assert (window.samples, window.failures) == (6, 0)


def test_a_bucket_holds_ten_seconds_of_the_last_five_minutes() -> None:
    made = Ring()
    made.observe("ok", None, 10.0, NOON_MS)

    kept = [made.window(NOON_MS + later_s * 1000).samples for later_s in (0, 280, 300, 600)]
    assert kept == [1, 1, 0, 0]

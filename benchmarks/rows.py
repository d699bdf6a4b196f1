"""What is measured, and what it should cost (each target is a number of one round; its median is judged)."""

from collections.abc import Callable, Mapping

from benchmarks.harness import Row, Target

Measure = Callable[[Mapping[str, float]], float]


def above(one: str, other: str) -> Measure:
    """What *one* costs more than *other*, in µs."""
    return lambda round_: round_[one] - round_[other]


def ratio(one: str, other: str) -> Measure:
    """How many times *other* *one* costs."""
    return lambda round_: round_[one] / round_[other]


def _error(depth: int, limit_us: float, count: int) -> Row:
    ours, bare = f"guard_{depth}", f"raise_{depth}"
    return Row(
        f"One error, depth {depth}",
        "errors",
        [
            (ours, "otel-guard: redacted, on disk, then in Postgres"),
            (bare, "raise and catch alone"),
            (f"logging_{depth}", "logging.exception to /dev/null"),
            (f"sdk_{depth}", "SDK: a span with record_exception"),
            (f"sentry_lean_{depth}", "sentry-sdk without locals and source"),
            (f"sentry_{depth}", "sentry-sdk as it comes"),
        ],
        count,
        [
            Target("above raising alone", above(ours, bare), limit_us, "µs"),
            Target("below sentry-sdk as it comes", ratio(f"sentry_{depth}", ours), 20, at_least=True),
            Target("below sentry-sdk without locals and source", ratio(f"sentry_lean_{depth}", ours), 5, at_least=True),
        ],
        "Every line includes the raising. The guard's process figure includes the delivery to Postgres; sentry-sdk's "
        "includes its own thread's serializing and compressing, but no sending.",
    )


def rows() -> list[Row]:
    """All rows whose figures are CPU time of a call."""
    return [
        _error(10, 40, 1_000),
        _error(50, 120, 500),
        Row(
            "One error of a storm, past the bucket (depth 10)",
            "errors",
            [("raise_10", "raise and catch alone"), ("storm", "otel-guard, only counted")],
            5_000,
            [Target("above raising alone", above("storm", "raise_10"), 5, "µs")],
        ),
        Row(
            "A healthy span",
            "calls",
            [("span_sdk", "SDK, batch processor"), ("span_guard", "the same, and the guard")],
            2_000,
            [Target("above the SDK", above("span_guard", "span_sdk"), 3, "µs")],
            "Nine CLIENT spans below a SERVER span, exported to nowhere; what redacting the export costs is in the "
            "process's figure.",
        ),
        Row(
            "Export of a healthy span of 15 attributes",
            "calls",
            [("export_plain", "an exporter that sends nothing"), ("export_redacting", "the same, redacting")],
            200,
            [Target("redacting", above("export_redacting", "export_plain"), 6, "µs", column="process_us")],
            has_ratios=False,
        ),
        Row(
            "Journal append of 4 kB",
            "calls",
            [("append_raw", "one os.write"), ("append_journal", "encode and append")],
            5_000,
            [Target("encode and append", lambda round_: round_["append_journal"], 15, "µs")],
            "The process's figure includes the delivery to Postgres.",
        ),
        Row(
            "SQLAlchemy SELECT 1 on SQLite",
            "calls",
            [("query_contrib", "contrib"), ("query_bare", "not instrumented"), ("query_guard", "otel-guard")],
            5_000,
            [
                Target(
                    "added cost, of contrib's",
                    lambda round_: (
                        above("query_guard", "query_bare")(round_) / above("query_contrib", "query_bare")(round_)
                    ),
                    1.15,
                )
            ],
        ),
        Row(
            "Flask request",
            "calls",
            [("request_contrib", "contrib"), ("request_bare", "not instrumented"), ("request_guard", "otel-guard")],
            3_000,
            [Target("the request, of contrib's", ratio("request_guard", "request_contrib"), 1.1)],
        ),
        Row(
            "`capture_error` where the guard is switched off",
            "calls",
            [("off_nothing", "an empty function"), ("off", "`OTEL_GUARD_ENABLED=false`")],
            200_000,
            [Target("a call", above("off", "off_nothing"), 1, "µs")],
            has_ratios=False,
        ),
    ]

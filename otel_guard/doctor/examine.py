"""All checks, one after another."""

from collections.abc import Callable, Iterator
from typing import Final

from otel_guard.doctor import (
    application,
    channels,
    collector,
    foreign,
    given,
    libraries,
    postgres,
    private_names,
    queue,
    sentry,
    starting,
)
from otel_guard.doctor._base import Finding, Look

FAILED: Final = 1
UNAVAILABLE: Final = 69
Check = Callable[[Look], Iterator[Finding]]
CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    (given.GROUP, given.check),
    (starting.GROUP, starting.check),
    (application.GROUP, application.check),
    (libraries.GROUP, libraries.check),
    (foreign.GROUP, foreign.check),
    (private_names.GROUP, private_names.check),
    (queue.GROUP, queue.check),
    (postgres.GROUP, postgres.check),
    (collector.GROUP, collector.check),
    (sentry.GROUP, sentry.check),
    (channels.GROUP, channels.check),
)


def examine(look: Look) -> Iterator[Finding]:
    """The rows as they come; a check that fails itself is a row too."""
    for group, check in CHECKS:
        try:
            yield from check(look)
        except Exception as error:
            detail = f"the check itself failed: {type(error).__name__}: {error}"
            yield Finding(group=group, name=group, status="failed", detail=detail, fix="report it")


def exit_code(findings: list[Finding], *, is_strict: bool = False) -> int:
    """0, 1 if a row failed, 69 if only Postgres did not answer; *is_strict*: a warning is a failure too."""
    bad = {"failed", "warning"} if is_strict else {"failed"}
    wrong = {(finding.group, finding.name) for finding in findings if finding.status in bad}
    if not wrong:
        return 0
    return UNAVAILABLE if wrong == {(postgres.GROUP, postgres.UNREACHABLE)} else FAILED

"""celery: a task that is done, and one that fails."""

from typing import Any

import celery  # type: ignore[import-untyped]

from otel_guard.doctor.probes._base import Nowhere as start  # noqa: N813 - as the stand-ins' function

__all__ = ["failing", "good", "start"]


def good(_server: Any) -> None:
    """It returns."""
    _run(is_broken=False)


def failing(_server: Any) -> None:
    """It raises."""
    _run(is_broken=True)


def _run(*, is_broken: bool) -> None:
    app = celery.Celery("doctor", broker="memory://", set_as_current=False)

    @app.task(name="doctor.probe")  # type: ignore[untyped-decorator]
    def probe() -> None:
        if is_broken:
            raise RuntimeError("a failing call of otel-guard doctor")

    probe.apply()

"""fastapi: a page, and one whose function raises."""

from typing import Any

import fastapi

from otel_guard.doctor.probes._base import Nowhere as start  # noqa: N813 - as the stand-ins' function
from otel_guard.doctor.probes._base import asgi

__all__ = ["failing", "good", "start"]


def good(_server: Any) -> None:
    """It is shown."""
    asgi(_app(), "/good")


def failing(_server: Any) -> None:
    """Its function raises."""
    asgi(_app(), "/broken")


def _app() -> Any:
    app = fastapi.FastAPI()

    @app.get("/good")
    async def fine() -> str:
        return "good"

    @app.get("/broken")
    async def broken() -> str:
        raise RuntimeError("a failing call of otel-guard doctor")

    return app

"""starlette: a page, and one whose function raises."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from otel_guard.doctor.probes._base import Nowhere as start  # noqa: N813 - as the stand-ins' function
from otel_guard.doctor.probes._base import asgi

__all__ = ["failing", "good", "start"]


def good(_server: Any) -> None:
    """It is shown."""
    asgi(_app(), "/good")


def failing(_server: Any) -> None:
    """Its function raises."""
    asgi(_app(), "/broken")


def _app() -> Starlette:
    return Starlette(routes=[Route("/good", _good), Route("/broken", _broken)])


async def _good(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("good")


async def _broken(_request: Request) -> PlainTextResponse:
    raise RuntimeError("a failing call of otel-guard doctor")

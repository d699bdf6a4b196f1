"""flask: a page, and one whose view raises."""

from typing import Any

import flask

from otel_guard.doctor.probes._base import Nowhere as start  # noqa: N813 - as the stand-ins' function

__all__ = ["failing", "good", "start"]


def good(_server: Any) -> None:
    """It is shown."""
    _app().test_client().get("/good")


def failing(_server: Any) -> None:
    """Its view raises."""
    _app().test_client().get("/broken")


def _app() -> flask.Flask:
    app = flask.Flask("doctor")
    app.logger.disabled = True

    @app.get("/good")
    def fine() -> str:
        return "good"

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("a failing call of otel-guard doctor")

    return app

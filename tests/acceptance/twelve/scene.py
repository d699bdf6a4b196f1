"""What the twelve scripts share: the guard and a web application."""

import logging
import os
from collections.abc import Callable

import flask
import sentry_sdk
from sentry_sdk.integrations.flask import FlaskIntegration

import otel_guard

TRACES = ("1" * 31 + "a", "2" * 31 + "b")


class CheckoutError(Exception):
    """What a shop makes of a failed payment."""


def begin(*, has_own_sentry: bool = False) -> None:
    """Watch this process; the application's own Sentry SDK comes first, as its documentation says."""
    logging.basicConfig(level=logging.INFO)
    if has_own_sentry:
        # Not its OpenAI integration, which reports each failed call itself.
        sentry_sdk.init(
            dsn=os.environ["SENTRY_DSN"], auto_enabling_integrations=False, integrations=[FlaskIntegration()]
        )
    otel_guard.configure()


def application() -> flask.Flask:
    """One Flask application."""
    return flask.Flask("shop")


def visit(app: flask.Flask, view: Callable[[], str], *, times: int = 1) -> None:
    """Ask for `/buy/<item>` once or twice, each a trace of its own."""
    app.add_url_rule("/buy/<item>", "buy", lambda item: f"{item}: {view()}")
    client = app.test_client()
    for trace_id in TRACES[:times]:
        answer = client.get("/buy/17", headers={"traceparent": f"00-{trace_id}-{'3' * 16}-01"})
        print("status", answer.status_code)  # noqa: T201 - the test reads it

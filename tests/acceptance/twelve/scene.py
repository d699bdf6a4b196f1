"""What the twelve scripts share: the guard, a web application, clients that talk to the stand-ins."""

import logging
import os
from collections.abc import Callable

import flask
import openai
import sentry_sdk
import stripe
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


def pay(method: str = "pm_standin_server_error") -> None:
    """Ask Stripe for money; the method says how it fails (500 is high, 429 medium)."""
    client = stripe.StripeClient(
        os.environ["STRIPE_API_KEY"], base_addresses={"api": os.environ["STRIPE_API_BASE"]}, max_network_retries=0
    )
    client.v1.payment_intents.create(
        {"amount": 500, "currency": "eur", "confirm": True, "payment_method": method, "payment_method_types": ["card"]}
    )


def busy_pay() -> None:
    """The same, refused with 429."""
    pay("pm_standin_rate_limited")


def ask(prompt: str = "[standin: rate limit]") -> None:
    """Ask OpenAI; 429 is medium."""
    openai.OpenAI(max_retries=0).chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": prompt}]
    )

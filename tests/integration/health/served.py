"""A shop with the health endpoints, as gunicorn serves it."""

import threading

import flask

import otel_guard
from otel_guard.integrations.flask import mount

guard = otel_guard.configure()
app = flask.Flask("shop")
mount(app)


@app.get("/")
def index() -> str:
    """Serve a user."""
    otel_guard.user(flask.request.args.get("user"))
    return "shop"


@app.get("/threads")
def threads() -> list[str]:
    """The threads of this worker that are ours."""
    return sorted(each.name for each in threading.enumerate() if each.name.startswith("otel-guard"))

"""10: a span, and the application's own Sentry capture before the request ends, in either order."""

import sys

import payments
import scene
import sentry_sdk

import otel_guard


def span_first() -> str:
    try:
        payments.pay()
    except Exception as error:
        print("own", sentry_sdk.capture_exception(error))  # noqa: T201 - the test reads it
    return "not paid"


def own_first() -> str:
    try:
        with otel_guard.watch("price", context="payment"):
            try:
                return str(1 // int("0"))
            except ZeroDivisionError as error:
                print("own", sentry_sdk.capture_exception(error))  # noqa: T201 - the test reads it
                raise
    except ZeroDivisionError:
        return "no price"


scene.begin(has_own_sentry=True)
scene.visit(scene.application(), own_first if "own_first" in sys.argv else span_first)

"""1: a Stripe span; `capture_error` with all keywords; re-raised."""

import payments
import scene

import otel_guard


def view() -> str:
    try:
        payments.pay()
    except Exception as error:
        otel_guard.capture_error(error, context="queue", severity="low", user_id="u-1", metadata={"order": "o-17"})
        raise
    return "paid"


scene.begin()
scene.visit(scene.application(), view)

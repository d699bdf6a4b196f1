"""2: four nested spans."""

import payments
import scene

import otel_guard


def view() -> str:
    try:
        with otel_guard.watch("checkout"), otel_guard.watch("take_money", context="payment"):
            payments.busy_pay()
    except Exception:
        otel_guard.user("u-1")  # known later than the failure
        raise
    return "paid"


scene.begin()
scene.visit(scene.application(), view)

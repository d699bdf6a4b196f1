"""7: a Stripe span; another exception raised in its `except`, with `from` or without."""

import sys

import payments
import scene


def view() -> str:
    try:
        payments.pay()
    except Exception as error:
        if "from" in sys.argv:
            raise scene.CheckoutError("order o-17 not paid") from error
        raise scene.CheckoutError("order o-17 not paid")  # noqa: B904 - the point
    return "paid"


scene.begin()
scene.visit(scene.application(), view)

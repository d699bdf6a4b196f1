"""4: `logger.exception` of a bug; the spans around it end with it."""

import logging

import scene

import otel_guard


def view() -> str:
    with otel_guard.watch("price", context="payment"):
        try:
            return str(1 // int("0"))
        except ZeroDivisionError:
            logging.getLogger("shop").exception("no price for %s", "o-17")
            raise


scene.begin()
scene.visit(scene.application(), view)

"""3: an AI span; `logger.exception`; handled."""

import logging

import scene
import summaries


def view() -> str:
    try:
        summaries.ask()
    except Exception:
        logging.getLogger("shop").exception("no summary for %s", "o-17")
    return "without a summary"


scene.begin()
scene.visit(scene.application(), view)

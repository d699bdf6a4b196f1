"""8: an OpenAI span; the second provider fails in its `except`."""

import sys

import scene
import summaries


def view() -> str:
    try:
        summaries.ask()
    except Exception:
        summaries.ask("[standin: server error]")
    return "a summary"


scene.begin(has_own_sentry="own" in sys.argv)
scene.visit(scene.application(), view)

"""6: an HTTP 500 span; then `raise_for_status()`, or nothing (`quiet`)."""

import os
import sys

import requests
import scene


def view() -> str:
    answer = requests.get(os.environ["BROKEN_URL"], timeout=5)
    if "quiet" not in sys.argv:
        answer.raise_for_status()
    return "no stock"


scene.begin()
scene.visit(scene.application(), view)

"""11: one module-level object, raised in two requests."""

import scene

NO_STOCK = RuntimeError("no stock left")


def view() -> str:
    raise NO_STOCK


scene.begin()
scene.visit(scene.application(), view, times=2)

"""A shop of as many functions as the stack is deep: frames that differ, as a real one's do, each with a source line."""

import atexit
import importlib.util
from collections.abc import Callable
from pathlib import Path

FILE = Path("bench_shop.py")  # in the working folder, where an application's code is
STEP = """
def step_{number}(order: int, customer: str) -> None:
    return step_{below}(order, customer=customer)  # {below} more
"""
LAST = """
def step_0(order: int, customer: str) -> None:
    raise ValueError(f"order {order} of {customer} cannot be paid: the basket is empty")
"""


def failing(depth: int) -> Callable[[int, str], None]:
    """Return a function that raises through *depth* frames, itself among them."""
    steps = [STEP.format(number=number, below=number - 1) for number in range(1, depth)]
    FILE.write_text("\n".join([LAST, *steps]), encoding="utf-8")
    atexit.register(FILE.resolve().unlink, missing_ok=True)
    spec = importlib.util.spec_from_file_location(FILE.stem, FILE.resolve())
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{FILE} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    first: Callable[[int, str], None] = getattr(module, f"step_{depth - 1}")
    return first

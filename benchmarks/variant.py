"""Run one variant of one row in this process and print what an iteration cost."""

import importlib
import json
import sys
import time

from benchmarks.harness import Variant

WARM_UP = 200


def main() -> None:
    module, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    try:
        variant: Variant = getattr(importlib.import_module(f"benchmarks.{module}"), name)()
    except ModuleNotFoundError as error:
        print(f"not installed: {error}", file=sys.stderr)
        print("null")
        return
    step, warm_up = variant.step, min(WARM_UP, count)
    for _ in range(warm_up):
        step()
    variant.flush()
    caller, process = time.thread_time_ns(), time.process_time_ns()
    for _ in range(count):
        step()
    caller = time.thread_time_ns() - caller
    variant.flush()  # what waits in our own threads is part of the process's bill
    process = time.process_time_ns() - process
    variant.check(warm_up + count)
    units = count * variant.units
    print(json.dumps({"caller_us": caller / units / 1000, "process_us": process / units / 1000}))
    sys.stdout.flush()


if __name__ == "__main__":
    main()

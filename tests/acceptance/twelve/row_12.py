"""12: a span; then nobody catches: the excepthook of the process, of a thread, of asyncio."""

import asyncio
import gc
import sys
import threading

import payments
import scene


async def forget_a_task() -> None:
    task = asyncio.create_task(asyncio.to_thread(payments.busy_pay))
    await asyncio.wait([task])
    del task
    gc.collect()  # a task that nobody asked says so when it goes


scene.begin()
match sys.argv[1]:
    case "process":
        payments.busy_pay()
    case "thread":
        thread = threading.Thread(target=payments.busy_pay)
        thread.start()
        thread.join()
    case "asyncio":
        asyncio.run(forget_a_task())

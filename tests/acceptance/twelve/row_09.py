"""9: three calls of a TaskGroup fail; the `ExceptionGroup` leaves the view."""

import asyncio
import sys

import openai
import scene


async def ask(all_failed: asyncio.Barrier) -> None:
    async with openai.AsyncOpenAI(max_retries=0) as client:
        try:
            await client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "[standin: rate limit]"}]
            )
        finally:
            await all_failed.wait()  # else the group cancels the others' calls


async def ask_three() -> None:
    all_failed = asyncio.Barrier(3)
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(ask(all_failed))


def view() -> str:
    asyncio.run(ask_three())
    return "three summaries"


scene.begin(has_own_sentry="own" in sys.argv)
scene.visit(scene.application(), view)

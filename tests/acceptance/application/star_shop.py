"""A Starlette shop that knows nothing of who watches it."""
# ruff: noqa: ANN001, ARG001 - as users write it

import os

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def front(request):
    return PlainTextResponse("open", headers={"X-Pid": str(os.getpid())})


async def order(request):
    return PlainTextResponse({}[request.path_params["key"]])


def soon(request):
    return PlainTextResponse({}[request.path_params["key"]])


async def down(request):
    return PlainTextResponse("down", status_code=503)


async def refused(request):
    raise HTTPException(403)


app = Starlette(
    routes=[
        Route("/", front),
        Route("/orders/{key}/", order),
        Route("/soon/{key}/", soon),
        Route("/down", down),
        Route("/refused", refused),
    ]
)

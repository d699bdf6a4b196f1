"""A FastAPI shop that knows nothing of who watches it."""
# ruff: noqa: ANN001 - as users write it

import os

import fastapi

app = fastapi.FastAPI()


@app.middleware("http")
async def say_who(request, call_next):
    response = await call_next(request)
    response.headers["X-Pid"] = str(os.getpid())
    return response


@app.get("/")
async def front():
    return "open"


@app.get("/orders/{key}/")
def order(key: str):
    return {}[key]


@app.get("/soon/{key}/")
async def soon(key: str):
    return {}[key]


@app.get("/down")
async def down():
    return fastapi.Response("down", status_code=503)


@app.get("/refused")
async def refused():
    raise fastapi.HTTPException(403)

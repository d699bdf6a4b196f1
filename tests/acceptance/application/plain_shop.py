"""A Flask shop that knows nothing of who watches it, for `flask run`."""
# ruff: noqa: ANN001 - as users write it

import flask

app = flask.Flask(__name__)


@app.get("/")
def front():
    return "open"


@app.get("/orders/<key>/")
def order(key):
    return {}[key]


@app.get("/soon/<key>/")
async def soon(key):
    return {}[key]


@app.get("/down")
def down():
    return "down", 503


@app.get("/refused")
def refused():
    flask.abort(403)

"""Sends tasks, each in a trace of its own, and says its id: `NAME TRACE_ID` a line."""
# ruff: noqa: T201 - as users write it

import secrets
import sys

import queue_shop
from opentelemetry import context, propagate

for name in sys.argv[1:]:
    trace_id = secrets.token_hex(16)
    task, _, arguments = name.partition(":")
    token = context.attach(propagate.extract({"traceparent": f"00-{trace_id}-{'1' * 16}-01"}))
    getattr(queue_shop, task).delay(*arguments.split(",") if arguments else ())
    context.detach(token)
    print("sent", name, trace_id, flush=True)

"""Ask the shop for each path given as `path=trace id`, in a process that `otel-guard run` started."""

import sys

import httpx2  # noqa: F401 - the oldest contrib cannot watch it, and that must be quiet
import requests  # noqa: F401 - watched as the application imports it
from shop import app  # type: ignore[import-not-found] # it lies where the test starts this script

client = app.test_client()
for argument in sys.argv[1:]:
    path, _, trace_id = argument.partition("=")
    answer = client.get(path, headers={"traceparent": f"00-{trace_id}-{'3' * 16}-01"})
    print("status", path, answer.status_code)  # noqa: T201 - the test reads it

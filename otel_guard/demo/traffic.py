"""Customers of the shop: each request carries a trace id of its own, by which it is found again."""

import http.client
import itertools
import secrets
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Final, Self
from urllib.parse import urlencode

from otel_guard.core.exceptions import OtelGuardError
from otel_guard.demo.faults import BUY, HEALTHY, Call, Fault
from otel_guard.demo.judge import Sent

TIMEOUT_S: Final = 30.0
BROWSE_EVERY_S: Final = 0.3
CROWD: Final = 6


class TrafficError(OtelGuardError):
    """The shop did not sell."""


class Customers:
    """Sends requests to one shop and remembers them."""

    def __init__(self, port: int) -> None:
        self.sent: list[Sent] = []
        self._port = port
        self._order = ""

    def place_an_order(self) -> str:
        """Buy something and keep the order's number for later requests; returns it."""
        status, location = self._exchange(BUY, secrets.token_hex(16))
        if status not in BUY.statuses:
            raise TrafficError(f"the shop answered {status} to a good order: see its log")
        self._order = location.rstrip("/").rpartition("/")[2]
        return self._order

    def send(self, fault: Fault, call: Call) -> Sent:
        """Send one request of *fault*."""
        trace_id = secrets.token_hex(16)
        status, _ = self._exchange(call, trace_id)
        done = Sent(fault=fault.name, call=call, trace_id=trace_id, status=status)
        self.sent.append(done)
        return done

    def crowd(self, fault: Fault) -> Iterator[Sent]:
        """Send all requests of *fault*, several at a time; yields them as they are answered."""
        calls = itertools.islice(itertools.cycle(fault.calls), fault.times)
        with ThreadPoolExecutor(CROWD, "customer") as pool:
            for future in [pool.submit(self.send, fault, call) for call in calls]:
                yield future.result()

    def _exchange(self, call: Call, trace_id: str) -> tuple[int, str]:
        headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
        path = call.path.replace("{order}", self._order)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        try:
            if call.form is None:
                connection.request("GET", path, headers=headers)
            else:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                connection.request("POST", path, _encoded(call.form), headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return 0, ""
        else:
            return answer.status, answer.headers.get("Location", "")
        finally:
            connection.close()


class Browsing:
    """Customers for whom nothing goes wrong, in the background, while the `with` block lasts."""

    def __init__(self, customers: Customers) -> None:
        self._customers = customers
        self._is_over = threading.Event()
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._browse, name="browsing", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(TIMEOUT_S)

    def paused(self) -> AbstractContextManager[object]:
        """While this is held none is under way: for faults that hit whoever is there."""
        return self._turn

    def _browse(self) -> None:
        for call in itertools.cycle(HEALTHY.calls):
            if self._is_over.wait(BROWSE_EVERY_S):
                return
            with self._turn:
                self._customers.send(HEALTHY, call)


def _encoded(form: Mapping[str, str]) -> str:
    return urlencode({name: value.replace("{unique}", secrets.token_hex(4)) for name, value in form.items()})

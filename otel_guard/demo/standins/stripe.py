"""Stripe's API as far as a small shop needs it: payment intents and refunds, told to fail by the payment method."""

import itertools
import re
import threading
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from otel_guard.demo.standins._http import Request, Response, as_json, serve

# Stripe's own test payment methods; the last two are ours, for what Stripe's test mode cannot be told to do.
DECLINES: Final[Mapping[str, tuple[str, str]]] = {
    "pm_card_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", "expired_card"),
    "pm_card_chargeDeclinedProcessingError": ("processing_error", "processing_error"),
}
SERVER_ERROR: Final = "pm_standin_server_error"
SERVER_FAULT: Final = 500
RATE_LIMITED: Final = "pm_standin_rate_limited"
MESSAGES: Final[Mapping[str, str]] = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}
_INTENT_ID: Final = re.compile(r"^/v1/payment_intents/(?P<id>pi_\w+)(?:/(?P<action>confirm|capture|cancel))?$")

Form = Mapping[str, str]
Fields = dict[str, object]


class Stripe:
    """Keeps the payment intents of one run; `requests` has (method, path) of each call."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self._intents: dict[str, Fields] = {}
        self._replies: dict[str, Response] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._running = serve(self._answer)
        self.port = self._running.port
        self.url = self._running.url

    def stop(self) -> None:
        """Take no more requests."""
        self._running.stop()

    def _answer(self, request: Request) -> Response:
        path = urlsplit(request.path).path
        with self._lock:
            self.requests.append((request.method, path))
            key = request.headers.get("idempotency-key", "")
            if key in self._replies:
                return self._replies[key]
            response = self._with_id(self._route(request, path))
            if key and response.status < SERVER_FAULT:
                self._replies[key] = response
        return response

    def _with_id(self, response: Response) -> Response:
        return Response(
            response.status, response.body, {**response.headers, "Request-Id": f"req_{next(self._numbers):014d}"}
        )

    def _route(self, request: Request, path: str) -> Response:
        if not request.headers.get("authorization", "").startswith(("Bearer ", "Basic ")):
            return _problem(401, "invalid_request_error", "You did not provide an API key.")
        form: Form = dict(parse_qsl(request.body.decode()))
        if path == "/v1/payment_intents" and request.method == "POST":
            return self._create(form)
        if path == "/v1/refunds" and request.method == "POST":
            return self._refund(form)
        if path == "/v1/balance":
            return as_json(200, {"object": "balance", "available": [], "pending": [], "livemode": False})
        if found := _INTENT_ID.match(path):
            return self._one(found["id"], found["action"], form)
        return _problem(404, "invalid_request_error", f"Unrecognized request URL ({request.method}: {path}).")

    def _create(self, form: Form) -> Response:
        if "amount" not in form or "currency" not in form:
            name = "currency" if "amount" in form else "amount"
            return _problem(
                400, "invalid_request_error", f"Missing required param: {name}.", param=name, code="parameter_missing"
            )
        intent: Fields = {
            "id": f"pi_standin{next(self._numbers):012d}",
            "object": "payment_intent",
            "amount": int(form["amount"]),
            "amount_received": 0,
            "currency": form["currency"].lower(),
            "created": 1_700_000_000,
            "description": form.get("description"),
            "livemode": False,
            "metadata": {key[9:-1]: value for key, value in form.items() if key.startswith("metadata[")},
            "payment_method": form.get("payment_method"),
            "status": "requires_confirmation" if "payment_method" in form else "requires_payment_method",
        }
        self._intents[str(intent["id"])] = intent
        return _confirmed(intent) if form.get("confirm") == "true" else as_json(200, intent)

    def _one(self, intent_id: str, action: str | None, form: Form) -> Response:
        intent = self._intents.get(intent_id)
        if intent is None:
            return _missing("payment_intent", intent_id)
        if action == "confirm":
            intent["payment_method"] = form.get("payment_method", intent["payment_method"])
            return _confirmed(intent)
        if action == "cancel":
            intent["status"] = "canceled"
        return as_json(200, intent)

    def _refund(self, form: Form) -> Response:
        intent = self._intents.get(form.get("payment_intent", ""))
        if intent is None:
            return _missing("payment_intent", form.get("payment_intent", ""))
        amount = int(form.get("amount") or str(intent["amount"]))
        refund = {
            "id": f"re_standin{next(self._numbers):012d}",
            "object": "refund",
            "amount": amount,
            "status": "succeeded",
        }
        return as_json(200, {**refund, "currency": intent["currency"], "payment_intent": intent["id"]})


def start() -> Stripe:
    """Start it on a free port; its `url` is what `base_addresses={"api": …}` takes."""
    return Stripe()


def _confirmed(intent: Fields) -> Response:
    method = str(intent["payment_method"])
    if method == SERVER_ERROR:
        return _problem(500, "api_error", "An unknown error occurred")
    if method == RATE_LIMITED:
        return _problem(429, "invalid_request_error", "Too many requests.", code="rate_limit")
    if method in DECLINES:
        code, decline = DECLINES[method]
        intent["status"] = "requires_payment_method"
        extra = {"code": code, "decline_code": decline, "charge": "ch_standin", "payment_intent": intent}
        return _problem(402, "card_error", MESSAGES[decline], **extra)
    intent.update(status="succeeded", amount_received=intent["amount"], latest_charge=f"ch_{str(intent['id'])[3:]}")
    return as_json(200, intent)


def _missing(what: str, given: str) -> Response:
    return _problem(404, "invalid_request_error", f"No such {what}: '{given}'", code="resource_missing", param="intent")


def _problem(status: int, kind: str, message: str, **more: object) -> Response:
    retry = {"Stripe-Should-Retry": "false"} if status < SERVER_FAULT else {}
    return as_json(status, {"error": {"type": kind, "message": message, **more}}, retry)

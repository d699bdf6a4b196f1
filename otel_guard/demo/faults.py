"""The known faults: how a customer of the shop sets each off, and what must be found of it."""

from collections.abc import Mapping
from typing import Final

import msgspec

from otel_guard.demo.standins import openai, stripe


class Call(msgspec.Struct, frozen=True):
    """One request to the shop; *form* makes it a POST. `{order}` in the path is the number of a paid order."""

    path: str
    form: Mapping[str, str] | None = None
    statuses: tuple[int, ...] = (500,)  # what it answers when the fault fires


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of failure; for each one there must be so many rows and Sentry events of its trace."""

    name: str
    calls: tuple[Call, ...]
    times: int = 5
    errors: int = 1
    slow: int = 0
    sentry: int = 1
    is_traced: bool = True  # False: its spans may die with their process


def _order(**fields: str) -> dict[str, str]:
    given = {"quantity": "2", "name": "Ada", "email": "ada@example.com", "payment_method": "pm_card_visa", "wish": ""}
    return {**given, **fields}


BUY: Final = Call("/products/sencha/checkout", _order(), (303,))
HEALTHY: Final = Fault(
    name="(none: a good visit)",
    calls=(Call("/", None, (200,)), Call("/products/keemun", None, (200,)), BUY, Call("/?q=oolong", None, (200,))),
    errors=0,
    sentry=0,
)
PLANNED: Final = (
    Fault(
        name="card declined, handled",
        calls=(Call(BUY.path, _order(payment_method="pm_card_visa_chargeDeclined"), (402,)),),
        sentry=0,
    ),
    Fault(
        name="card declined, unhandled",
        calls=(Call("/labs/charge-again", {"payment_method": "pm_card_chargeDeclined", "order": "{unique}"}),),
    ),
    Fault(name="Stripe answers 500", calls=(Call(BUY.path, _order(payment_method=stripe.SERVER_ERROR)),)),
    Fault(name="OpenAI answers 429", calls=(Call(BUY.path, _order(wish=openai.RATE_LIMITED), (303,)),)),
    Fault(name="SQL error", calls=(Call("/labs/discounts"),)),
    Fault(name="slow query", calls=(Call("/labs/report", None, (200,)),), errors=0, slow=1, sentry=0),
    Fault(name="mail refused, 550", calls=(Call("/orders/{order}/receipt", {"email": "bounced@example.com"}),)),
    Fault(name="a plain bug", calls=(Call("/labs/price-tags"),)),
    Fault(name="logged and raised", calls=(Call("/labs/export"),)),
)
WORKER_KILLED: Final = Fault(
    name="worker killed (SIGKILL)", calls=(Call("/labs/opening-hours"),), times=24, is_traced=False
)
POSTGRES_STOPPED: Final = Fault(
    name="Postgres stopped for 5 s", calls=(Call("/labs/opening-hours?day=friday"), Call("/")), times=10
)
ALL: Final = (*PLANNED, WORKER_KILLED, POSTGRES_STOPPED, HEALTHY)

import re
from pathlib import Path

import pytest

from otel_guard.core.stripe_path import parse

stripe = pytest.importorskip("stripe")


@pytest.mark.parametrize(
    ("method", "path", "name", "template"),
    [
        ("POST", "/v1/payment_intents", "create payment_intent", "/v1/payment_intents"),
        ("post", "/v1/payment_intents/pi_1", "update payment_intent", "/v1/payment_intents/{id}"),
        ("post", "/v1/payment_intents/pi_1/confirm", "confirm payment_intent", "/v1/payment_intents/{id}/confirm"),
        ("get", "/v1/payment_intents/search?query=x", "search payment_intent", "/v1/payment_intents/search"),
        ("get", "/v1/coupons/gold_plan", "retrieve coupon", "/v1/coupons/{id}"),
        ("delete", "/v1/coupons/search", "delete coupon", "/v1/coupons/{id}"),
        ("get", "/v1/coupons/features", "retrieve coupon", "/v1/coupons/{id}"),
        ("post", "/v1/checkout/sessions", "create checkout.session", "/v1/checkout/sessions"),
        ("get", "/v1/customers/cus_1/sources/card_1", "retrieve source", "/v1/customers/{id}/sources/{id}"),
        ("get", "/v1/invoices/upcoming/lines", "list line", "/v1/invoices/upcoming/lines"),
        ("get", "/v1/balance", "retrieve balance", "/v1/balance"),
        ("get", "/v1/accounts/acct_1/capabilities", "list capability", "/v1/accounts/{id}/capabilities"),
        ("get", "/v1/unheard/of/things", "retrieve unheard", "/v1/unheard/{id}/{id}"),
        ("post", "/oauth/token", "create oauth.token", "/oauth/token"),
        ("get", "", "list api", "/"),
    ],
)
def test_a_path_is_read_by_position(method: str, path: str, name: str, template: str) -> None:
    call = parse(method, path)

    assert (f"{call.operation} {call.resource}", call.template) == (name, template)


def _known_paths() -> list[str]:
    text = "".join(file.read_text() for file in Path(stripe.__file__).parent.rglob("*.py"))
    found = {re.sub(r"\{[^}]*\}", "{id}", path) for path in re.findall(r'"(/v[12]/[^"\s%]+)"', text)}
    return sorted(found)


def test_no_path_of_the_sdk_shows_an_id_that_is_a_word() -> None:
    paths = _known_paths()

    assert len(paths) > 100
    assert [path for path in paths if parse("get", path.replace("{id}", "gold_plan")).template != path] == []

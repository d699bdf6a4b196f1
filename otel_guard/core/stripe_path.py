"""Operation, resource and template of a Stripe API path, without a word that could be an identifier."""

from typing import Final

from msgspec import Struct

ID: Final = "{id}"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMESPACES: Final = _words(
    "apple_pay apps billing billing_portal checkout climate commerce core entitlements financial_connections "
    "forwarding identity issuing money_management product_catalog radar reporting sigma tax terminal test_helpers "
    "three_d_secure treasury vault"
)
# Resources of which an account has one: no id follows.
_SINGLE: Final = _words(
    "account balance balance_settings cash_balance credit_balance_summary discount dispute meter_event_session "
    "payout_methods_bank_account_spec pdf settings shipping"
)
# Words in the place of an id: only of collections whose ids Stripe makes (a coupon's is chosen by the user).
_WORDS: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(
        ("charges", "customers", "payment_intents", "prices", "products", "subscriptions"), frozenset({"search"})
    ),
    "invoices": frozenset({"search", "create_preview", "upcoming"}),
    "credit_notes": frozenset({"preview"}),
    "associations": frozenset({"find"}),
    "secrets": frozenset({"find", "delete"}),
    "payment_records": frozenset({"report_payment"}),
    "transactions": frozenset(
        {"create_from_calculation", "create_reversal", "create_force_capture", "create_unlinked_refund"}
    ),
    "shipping": frozenset({"deliver", "fail", "return", "ship", "submit"}),
    "fraud_challenges": frozenset({"respond"}),
}
_ACTIONS: Final = _words(
    "accept acknowledge activate add_lines advance apply_customer_balance approve archive attach attach_payment "
    "cancel cancel_action capture close collect_inputs collect_payment_method confirm confirm_microdeposits "
    "confirm_payment_intent credit deactivate decline detach disable disconnect enable expire fail finalize "
    "finalize_amount fund_cash_balance increment increment_authorization mark_uncollectible migrate pause pay "
    "ping post present_payment_method process_payment_intent process_setup_intent reactivate redact refresh "
    "refresh_fx_quote refresh_recipient_verification refresh_regulatory_receipt refund refund_payment reject "
    "release remove_lines report_payment_attempt report_payment_attempt_canceled report_payment_attempt_failed "
    "report_payment_attempt_guaranteed report_payment_attempt_informational report_refund resume return reverse "
    "send send_microdeposits set_reader_display submit subscribe succeed succeed_input_collection "
    "timeout_input_collection unarchive uninstall unreject unsubscribe update_lines validate verify "
    "verify_microdeposits void"
)
_NESTED: Final = _words(
    "amount_details_line_items balance_transactions capabilities cash_balance_transactions "
    "computed_upfront_line_items event_summaries external_accounts features fraud_challenges funding_instructions "
    "line_items lines login_links owners payment_methods person_tokens persons refunds reversals "
    "source_transactions sources tax_ids subscriptions cards bank_accounts"
)
_BY_VERB: Final[dict[tuple[str, bool], str]] = {
    ("get", True): "retrieve",
    ("get", False): "list",
    ("post", True): "update",
    ("post", False): "create",
    ("delete", True): "delete",
    ("delete", False): "delete",
}


class StripeCall(Struct, frozen=True):
    """What a request does; *resource* is in the singular, with its namespace."""

    operation: str
    resource: str
    template: str


def parse(method: str, path: str) -> StripeCall:
    """Read verb and path by position: after a collection comes an id, after an id an action or a nested collection."""
    parts = [part for part in path.partition("?")[0].split("/") if part]
    version, rest = (parts[:1], parts[1:]) if parts and parts[0] in {"v1", "v2", "oauth"} else ([], parts)
    names, rest = _namespaces(rest)
    if version == ["oauth"]:
        names = ["oauth"]
    shown, resource, is_item, action = _walk(rest)
    verb = method.lower()
    return StripeCall(
        operation=action or _BY_VERB.get((verb, is_item), "call"),
        resource=".".join([*names, _singular(resource)]) if resource else "api",
        template="/" + "/".join([*version, *(name for name in names if name != "oauth"), *shown]),
    )


def _namespaces(parts: list[str]) -> tuple[list[str], list[str]]:
    count = 0
    while count < len(parts) - 1 and parts[count] in _NAMESPACES:
        count += 1
    return parts[:count], parts[count:]


def _walk(parts: list[str]) -> tuple[list[str], str, bool, str | None]:
    shown: list[str] = []
    resource, is_item, action = "", False, None
    for part in parts:
        if not resource:
            shown.append(part if _is_word(part) else ID)
            resource, is_item = (part if _is_word(part) else ""), part in _SINGLE
        elif part in _WORDS.get(resource, ()) or (is_item and part in _ACTIONS):
            shown.append(part)
            action = part
        elif (is_item or action) and (part in _NESTED or part in _SINGLE):
            shown.append(part)
            resource, is_item, action = part, part in _SINGLE, None
        else:
            shown.append(ID)
            is_item = True
    return shown, resource, is_item, action


def _is_word(part: str) -> bool:
    return part.isascii() and part.replace("_", "").isalpha() and part.islower()


def _singular(name: str) -> str:
    if name in _SINGLE:
        return name
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name

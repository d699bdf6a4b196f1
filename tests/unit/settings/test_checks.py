import io
import tomllib

import pytest
from rich.console import Console
from rich.pretty import Pretty

from otel_guard.settings.checks import Checks, EmailCheck, KeyCheck, StorageCheck, UrlCheck, checks
from otel_guard.settings.tree import Settings

KEY = "sk_" + "live_" + "x" * 24
DATABASE = "postgresql://u:" + "hid" + "den@db/shop"
CACHE = "rediss://:" + "hid" + "den@cache:6379/0"
ENVIRON = {"STRIPE_SECRET_KEY": KEY, "DATABASE_URL": DATABASE, "REDIS_URL": CACHE, "RESEND_API_KEY": "re_" + "key"}
ALL = """
[check.database]
url_env = "DATABASE_URL"
[check.payment]
key_env = "STRIPE_SECRET_KEY"
url = "http://127.0.0.1:9/stripe"
[check.storage]
bucket = "shop-invoices"
[check.email]
provider = "resend"
key_env = "RESEND_API_KEY"
[check.cache]
url_env = "REDIS_URL"
"""


def read(toml: str) -> Checks:
    return checks(Settings(tables=tomllib.loads(toml)), ENVIRON)


def test_without_a_table_all_is_passive() -> None:
    assert read("") == Checks()


def test_each_table_makes_a_probe() -> None:
    assert read(ALL) == Checks(
        database=UrlCheck(DATABASE),
        payment=KeyCheck(key=KEY, url="http://127.0.0.1:9/stripe"),
        storage=StorageCheck(bucket="shop-invoices"),
        email=EmailCheck(provider="resend", key="re_" + "key"),
        cache=UrlCheck(CACHE),
    )


@pytest.mark.parametrize("name", ["payment", "openai", "anthropic", "gemini"])
def test_a_provider_is_asked_with_the_key_of_a_variable(name: str) -> None:
    found = read(f"[check.{name}]\nkey_env = 'STRIPE_SECRET_KEY'")

    assert getattr(found, name) == KeyCheck(key=KEY)


@pytest.mark.parametrize("host", ["smtp.example.com", "127.0.0.1:2525", "[::1]:25"])
def test_a_mail_server_may_have_a_port(host: str) -> None:
    assert read(f"[check.email]\nhost = '{host}'").email == EmailCheck(host=host)


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("[check.paymant]\nx = 1", 'check.paymant: unknown check; did you mean "payment"?'),
        ("[check]\npayment = 1", "check.payment: not a table; write [check.NAME] and below it the keys"),
        (
            "[check.payment]",
            "check.payment.key_env: missing; write the name of the variable that holds the key, no probe till then",
        ),
        (
            "[check.payment]\nkey_env = 'STRIPE_KEY'",
            "check.payment.key_env: STRIPE_KEY is not set; set it in the monitor's environment, no probe till then",
        ),
        (
            f"[check.payment]\nkey_env = '{KEY}'",
            "check.payment.key_env: the variable it names is not set; set it in the monitor's environment, no probe till then",
        ),
        (
            "[check.payment]\nkey_env = 'STRIPE_SECRET_KEY'\nurl = 'api.stripe.com'",
            "check.payment.url: not an http or https address without a password; write https://… and the host",
        ),
        (
            "[check.database]\nurl_env = 'REDIS_URL'",
            "check.database.url_env: the variable holds another kind of address; write postgres://…, no probe till then",
        ),
        (
            f"[check.cache]\nurl = '{CACHE}'",
            "check.cache.url: a secret stands in no file; write url_env and the name of a variable",
        ),
        (
            "[check.storage]\nbucket = 'https://s3/bucket'",
            "check.storage.bucket: not the name of a bucket; write the name alone, and the server into url",
        ),
        ("[check.email]", "check.email.host: missing; write host, or provider and key_env"),
        (
            "[check.email]\nhost = 'smtp://x'",
            "check.email.host: not the name of a server; write smtp.example.com or smtp.example.com:587",
        ),
        (
            "[check.email]\nhost = 'x'\nprovider = 'resend'",
            "check.email.provider: host is given too; leave one of them out",
        ),
        (
            "[check.email]\nprovider = 'mailgun'\nkey_env = 'RESEND_API_KEY'",
            'check.email.provider: "mailgun" is no mail provider that can be asked; write resend or sendgrid',
        ),
    ],
)
def test_a_bad_check_makes_no_probe_and_says_why(toml: str, problem: str) -> None:
    found = read(toml)

    assert found == Checks(problems=(problem,), unset=(problem,) if "is not set" in problem else ())


def test_a_key_without_meaning_does_not_end_the_probe() -> None:
    found = read("[check.payment]\nkey_env = 'STRIPE_SECRET_KEY'\nevery = 3")

    assert found.payment == KeyCheck(key=KEY)
    assert found.problems == ("check.payment.every: unknown key; it takes key_env or url",)


def test_no_secret_is_ever_shown() -> None:
    found, out = read(ALL), io.StringIO()
    Console(file=out).print(Pretty(found))
    shown = f"{found!r} {found.database} {found.email} {out.getvalue()}"

    assert "provider='resend'" in shown
    assert not any(secret in shown for secret in (KEY, "hid" + "den", "re_" + "key"))

"""Secrets made at run time from a seed, each kind in the forms in which they leave an application; and look-alikes."""

import base64
import json
import random
import string
from collections.abc import Callable
from typing import Final

ALNUM: Final = string.ascii_letters + string.digits
HEX: Final = "0123456789abcdef"


class Maker:
    """Random parts of one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def of(self, alphabet: str, count: int) -> str:
        return "".join(self._random.choice(alphabet) for _ in range(count))

    def key(self, prefix: str, count: int = 32, alphabet: str = ALNUM) -> str:
        return prefix + self.of(alphabet, count)

    def word(self) -> str:
        return self.of(string.ascii_lowercase, 5) + self.of(string.digits, 3) + self.of(string.ascii_letters, 6)

    def card(self, prefix: str, length: int) -> str:
        digits = prefix + self.of(string.digits, length - len(prefix) - 1)
        doubled = [int(d) * 2 if n % 2 == 0 else int(d) for n, d in enumerate(reversed(digits))]
        return digits + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def _grouped(digits: str, by: str, sizes: tuple[int, ...]) -> str:
    at, parts = 0, []
    for size in sizes:
        parts.append(digits[at : at + size])
        at += size
    return by.join(parts)


def _jwt(m: Maker) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode().rstrip("=")
    return f"{head}.{m.of(ALNUM, 40)}.{m.of(ALNUM, 43)}"


def _basic(m: Maker) -> str:
    return base64.b64encode(f"{m.word()}:{m.word()}".encode()).decode()


# kind -> the secret, and the text round it
FORMS: Final[dict[str, tuple[Callable[[Maker], str], str]]] = {
    "card visa": (lambda m: m.card("4", 16), "charge of {} refused"),
    "card mastercard": (lambda m: m.card("53", 16), "card {}"),
    "card mastercard 2": (lambda m: m.card("2423", 16), "{}"),
    "card amex": (lambda m: m.card("37", 15), "pan={}."),
    "card diners": (lambda m: m.card("36", 14), "{}"),
    "card discover": (lambda m: m.card("6011", 16), "({})"),
    "card spaced": (lambda m: _grouped(m.card("4", 16), " ", (4, 4, 4, 4)), "no {} today"),
    "card dashed": (lambda m: _grouped(m.card("52", 16), "-", (4, 4, 4, 4)), "{}"),
    "card dotted": (lambda m: _grouped(m.card("4", 16), ".", (4, 4, 4, 4)), "{}"),
    "card amex spaced": (lambda m: _grouped(m.card("34", 15), " ", (4, 6, 5)), "{}"),
    "iban": (lambda m: "DE" + m.of("123456789", 20), "to {} now"),
    "iban spaced": (lambda m: _grouped("DE" + m.of("123456789", 20), " ", (4, 4, 4, 4, 4, 2)), "to {} now"),
    "ssn": (lambda m: f"{m.of('12345', 3)}-{m.of('12345', 2)}-{m.of('12345', 4)}", "ssn {} given"),
    "email": (lambda m: f"{m.word()}@{m.of(HEX, 6)}.example.com", "no user <{}>"),
    "email encoded": (lambda m: f"{m.word()}%40example.com", "/u/{}/x"),
    "private key": (lambda m: m.of(ALNUM, 64), "-----BEGIN RSA PRIVATE" + " KEY-----\n{}\n-----END"),
    "jwt": (_jwt, "got {} instead"),
    "bearer": (lambda m: m.word(), "Bear" + "er {}"),
    "basic": (_basic, "Bas" + "ic {}"),
    "authorization": (lambda m: m.word(), "Authoriz" + "ation: Token {}\nAccept: */*"),
    "authorization tuple": (lambda m: m.word(), "(b'authoriz" + "ation', b'Token {}')"),
    "cookie": (lambda m: m.word(), "Cook" + "ie: a=1; sid={}; b=2"),
    "set-cookie": (lambda m: m.word(), "set-cook" + "ie: sid={}; Path=/"),
    "stripe live": (lambda m: m.key("sk_" + "live_", 24), "key {} expired"),
    "stripe test": (lambda m: m.key("sk_" + "test_", 24), "{}"),
    "stripe restricted": (lambda m: m.key("rk_" + "live_", 24), "{}"),
    "stripe webhook": (lambda m: m.key("wh" + "sec_"), "{}"),
    "openai": (lambda m: m.key("sk" + "-proj-", 40), "Incorrect key provided: {}."),
    "anthropic": (lambda m: m.key("sk" + "-ant-api03-", 60), "{}"),
    "google": (lambda m: m.key("AI" + "za", 35), "?key={}"),
    "hugging face": (lambda m: m.key("hf" + "_", 34), "{}"),
    "aws id": (lambda m: m.key("AK" + "IA", 16, "ABCDEFGHIJ234567"), "{}"),
    "aws secret": (lambda m: m.of(ALNUM, 40), "aws_sec" + "ret_access_key={}"),
    "azure": (lambda m: m.of(ALNUM, 60) + "==", "AccountName=x;Account" + "Key={};E=1"),
    "signed link": (lambda m: m.of(HEX, 64), "https://b.example/o?X-Amz-Signat" + "ure={}"),
    "github": (lambda m: m.key("gh" + "p_", 36), "{}"),
    "gitlab": (lambda m: m.key("gl" + "pat-", 20), "{}"),
    "npm": (lambda m: m.key("np" + "m_", 36), "{}"),
    "pypi": (lambda m: m.key("py" + "pi-", 60), "{}"),
    "slack": (lambda m: m.key("xo" + "xb-", 40, string.digits + "-"), "{}"),
    "slack hook": (
        lambda m: f"T{m.of(ALNUM, 8)}/B{m.of(ALNUM, 8)}/{m.of(ALNUM, 24)}",
        "https://hooks.sl" + "ack.com/services/{}",
    ),
    "make hook": (lambda m: m.of(ALNUM, 30), "https://hook.eu1.ma" + "ke.com/{}"),
    "telegram": (lambda m: "A" + "A" + m.of(ALNUM, 33), "https://t.example/bot12345678:{}/send"),
    "sendgrid": (lambda m: "SG" + f".{m.of(ALNUM, 22)}.{m.of(ALNUM, 43)}", "{}"),
    "resend": (lambda m: "re" + f"_{m.of(ALNUM, 8)}_{m.of(ALNUM, 24)}", "{}"),
    "twilio": (lambda m: m.key("S" + "K", 32, HEX), "{}"),
    "shopify": (lambda m: m.key("shp" + "at_", 32, HEX), "{}"),
    "url password": (lambda m: m.word(), "postgresql://app:{}@db.example:5432/shop"),
    "url password with at": (lambda m: f"{m.word()}@{m.word()}", "redis://:{}@cache:6379/0"),
    "url password with slash": (lambda m: f"{m.word()}/{m.word()}", "amqp://app:{}@mq/v"),
    "dsn": (lambda m: m.of(HEX, 32), "https://{}@o1.ingest.example/5"),
    "password": (lambda m: m.word(), "password={} was wrong"),
    "password json": (lambda m: f"{m.word()} & {m.word()}", '{{"user": 1, "password": "{}"}}'),
    "password in json in json": (lambda m: m.word(), json.dumps('{{"password": "{}"}}')),
    "password repr": (lambda m: f"{m.word()}, {m.word()}", "{{'db_password': '{}'}}"),
    "password tuple": (lambda m: m.word(), "('password', '{}')"),
    "password camel": (lambda m: m.word(), "dbPassword: {}"),
    "password upper": (lambda m: m.word(), "DATABASE_PASSWORD={}"),
    "password option": (lambda m: m.word(), "mysql --password {} shop"),
    "password xml": (lambda m: m.word(), "<Password>{}</Password>"),
    "password html": (lambda m: m.word(), "password&quot;:&quot;{}&quot;"),
    "password percent": (lambda m: m.word(), "password%3D{}"),
    "password prose": (lambda m: m.word(), "the password is '{}'"),
    "secret": (lambda m: m.word(), "client_secret={}"),
    "secret key": (lambda m: m.word(), "SECRET_KEY = '{}'"),
    "token": (lambda m: m.word(), "access_token={}&x=1"),
    "token json": (lambda m: m.word(), '{{"refreshToken":"{}"}}'),
    "api key": (lambda m: m.word(), "x-api-key: {}"),
    "api key camel": (lambda m: m.word(), "apiKey={}"),
    "session id": (lambda m: m.word(), "session_id={}"),
    "postgres key": (lambda m: m.word(), "DETAIL:  Key (name)=({}) already exists."),
    "postgres row": (lambda m: m.word(), "DETAIL:  Failing row contains (1, {})."),
    "postgres input": (lambda m: m.word(), 'invalid input syntax for type integer: "{}"'),
    "postgres line": (lambda m: m.word(), "LINE 1: SELECT '{}'"),
    "mysql duplicate": (lambda m: m.word(), "Duplicate entry '{}' for key 'name'"),
    "mongo duplicate": (lambda m: m.word(), 'E11000 duplicate key error dup key: {{ name: "{}" }}'),
    "sqlalchemy": (lambda m: m.word(), "[SQL: SELECT 1]\n[parameters: ('{}',)]"),
}


def secrets(seed: int) -> dict[str, tuple[str, str]]:
    """Kind -> (what must never leave, the text that holds it); another seed, other secrets."""
    made = {}
    for number, (kind, (make, text)) in enumerate(FORMS.items()):
        secret = make(Maker(seed * 1000 + number))
        made[kind] = (secret, text.format(secret))
    return made


# Values that look like secrets and must arrive as they are.
LOOK_ALIKES: Final = (
    "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "0190163d-8694-739b-aea5-966c26f8ad91",
    "a4123456-7890-4234-8567-123456789012", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709", "pi_3MtwBwLkdIwHu7ix28a3tqPa", "ch_3MtwBwLkdIwHu7ix0RjDWFrd",
    "cus_NffrFeUfNV2Hib", "evt_1NG8Du2eZvKYlo2CUI79vXWy", "req_8QGkb2NsDWVDzM", "msg_01XFDUDYJgAACzvnptvVoYEL",
    "re_3MtwBwLkdIwHu7ix0BkqcQqb", "gpt-4o-2024-11-20", "claude-sonnet-4-20250514", "1763993400000000000",
    "20261124142724",
    "1763993400000000",
    "1763993400000", "2026-11-24T14:27:24.123456Z", "v1.67.0", "10.20.30.40", "db-1.internal:5432", "2001:db8::8a2e:370:7334",
    "/srv/app/billing/checkout.py", "23505", "SELECT users", "max_tokens=4096", "token_count: 1234", "sort_key=created_at",
    "task-0123456789abcdef0123456789abcdef", "risk-assessment-of-the-new-customer", "Basic authentication failed",
    "https://api.example.com/v1/users/{id}", "http://localhost:8080/@scope/pkg", "GET /orders/{order_id}",
    "ValueError: order 17 not found", "1.23.456.7890", "user 12345678 has 3 orders", "0x7f3b8c0d1e20", "secretary: none",
)  # fmt: skip

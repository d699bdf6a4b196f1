"""Fake secrets, made at run time from a seed so that none stands in the repository, and texts to plant them in."""

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from typing import NamedTuple

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
WORDS = ("harbor", "walnut", "Cedar", "violet", "Summit", "lantern")


class Secret(NamedTuple):
    """A secret, and its kind by the rules."""

    kind: str
    text: str


def chars(rng: random.Random, count: int, alphabet: str = ALNUM) -> str:
    """*count* characters, a letter and a digit among the first."""
    body = "".join(rng.choice(alphabet) for _ in range(count - 2))
    digit = rng.choice([char for char in alphabet if char.isdigit()])
    return rng.choice([char for char in alphabet if char.isalpha()]) + digit + body


def luhn(prefix: str, length: int, rng: random.Random) -> str:
    """A card number that passes the check."""
    digits = prefix + "".join(rng.choice("0123456789") for _ in range(length - len(prefix) - 1))
    total = sum(
        sum(divmod(2 * int(digit), 10)) if at % 2 == 0 else int(digit) for at, digit in enumerate(reversed(digits))
    )
    return digits + str(-total % 10)


def iban(country: str, body: str) -> str:
    """An IBAN with right check digits."""
    number = int("".join(str(int(char, 36)) for char in body + country + "00"))
    return f"{country}{98 - number % 97:02d}{body}"


def cards(rng: random.Random) -> Iterator[str]:
    """A card of each issuer and length."""
    rows = [("4", 16), ("4", 13), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15)]
    rows += [("300", 14), ("36", 14), ("38", 14), ("6011", 16), ("65", 16), ("644", 16), ("3528", 16), ("3589", 16)]
    rows += [("62", 16), ("62", 19), ("2200", 16), ("5018", 16), ("6759", 16), ("9792", 16)]
    return (luhn(prefix, length, rng) for prefix, length in rows)


def spellings(card: str) -> list[str]:
    """A card as people and programs write it."""
    fours = [card[at : at + 4] for at in range(0, len(card), 4)]
    wide = "".join(chr(0xFF10 + int(digit)) for digit in card)
    arabic = "".join(chr(0x0660 + int(digit)) for digit in card)
    joined = [sign.join(fours) for sign in (" ", "-", ".", "\u00a0", "\u2011")]
    return [
        card,
        *joined,
        " ".join(fours[:2]) + "\n" + " ".join(fours[2:]),
        wide,
        arabic,
        f"card{card}x",
        " ".join(card),
    ]


def jwt(rng: random.Random) -> str:
    """Three parts, the first two JSON."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": str(rng.randrange(10**9)), "iat": rng.randrange(10**9)}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, chars(rng, 43, ALNUM + "-_")])


def pem(rng: random.Random, name: str = "RSA ") -> str:
    """A private key."""
    lines = [chars(rng, 64, ALNUM + "+/") for _ in range(5)]
    return "\n".join([f"-----BEGIN {name}PRIVATE KEY-----", *lines, f"-----END {name}PRIVATE KEY-----"])


def emails(rng: random.Random) -> Iterator[str]:
    """Addresses of several shapes."""
    first, last = rng.choice(WORDS).lower(), rng.choice(WORDS).lower()
    number = rng.randrange(10, 99)
    yield f"{first}.{last}@example.com"
    yield f"{first}+{last}{number}@mail.example.co.uk"
    yield f"{first}_{number}@sub-domain.example.org"
    yield f"jürgen.{last}@bücher.example"
    yield f'"{first} {last}"@example.com'
    yield f"{first}{number}%40example.com"


def keyed(rng: random.Random) -> list[Secret]:
    """Secrets that nothing but their key gives away."""
    words = "-".join(rng.sample(WORDS, 3))
    texts = [
        chars(rng, 12),
        f"{words}{rng.randrange(9)}",
        chars(rng, 10) + "!",
        "Tr0ub4dor&" + chars(rng, 4),
        chars(rng, 40),
    ]
    return [Secret("password", text) for text in texts]


def shaped(rng: random.Random) -> list[Secret]:
    """Secrets that are known by their shape, each kind of the table."""
    one = rng.choice
    rows: list[tuple[str, str]] = [("card", card) for card in cards(rng)]
    rows += [("email", email) for email in emails(rng)]
    rows += [
        ("iban", iban("DE", _digits(rng, 18))),
        ("iban", iban("FR", _digits(rng, 10) + "A1B2C3D4E5F" + _digits(rng, 2))),
    ]
    rows += [("iban", iban("GB", "NWBK" + _digits(rng, 14))), ("iban", iban("NL", "ABNA" + _digits(rng, 10)).lower())]
    rows += [("ssn", f"{rng.randrange(100, 665)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}")]
    rows += [
        ("jwt", jwt(rng)),
        ("private_key", pem(rng)),
        ("private_key", pem(rng, "")),
        ("private_key", pem(rng, "EC ")),
    ]
    rows += [("private_key", pem(rng, "OPENSSH ").replace("\n", "\\n"))]
    rows += [("stripe_key", one(("sk", "rk")) + "_" + mode + "_" + chars(rng, 24)) for mode in ("live", "test")]
    rows += [("stripe_key", "pk" + "_live_" + chars(rng, 24)), ("stripe_key", "whs" + "ec_" + chars(rng, 32))]
    rows += [("ai_key", "sk" + start + chars(rng, 40)) for start in ("-", "-proj-", "-ant-api03-", "-or-v1-")]
    rows += [
        ("ai_key", "AI" + "za" + chars(rng, 35)),
        ("ai_key", "h" + "f_" + chars(rng, 34)),
        ("ai_key", "gs" + "k_" + chars(rng, 52)),
    ]
    rows += [("ai_key", "pp" + "lx-" + chars(rng, 48)), ("ai_key", "r" + "8_" + chars(rng, 37))]
    rows += [
        ("cloud_key", one(("AK", "AS")) + "IA" + chars(rng, 16, BASE32)),
        ("cloud_key", "ya" + "29." + chars(rng, 60)),
    ]
    rows += [("cloud_key", "GOC" + "SPX-" + chars(rng, 28))]
    rows += [("code_token", f"gh{letter}_" + chars(rng, 36)) for letter in "pousr"]
    rows += [
        ("code_token", "github" + "_pat_" + chars(rng, 22) + "_" + chars(rng, 59)),
        ("code_token", "gl" + "pat-" + chars(rng, 20)),
    ]
    rows += [("code_token", "np" + "m_" + chars(rng, 36)), ("code_token", "py" + "pi-AgEIcHlwaS5vcmc" + chars(rng, 60))]
    rows += [("chat_token", f"xox{letter}-" + _digits(rng, 11) + "-" + chars(rng, 24)) for letter in "bpas"]
    rows += [
        ("chat_token", "xa" + "pp-1-A" + _digits(rng, 10) + "-" + chars(rng, 40)),
        ("chat_token", _digits(rng, 9) + ":" + "AA" + chars(rng, 33)),
    ]
    rows += [
        ("mail_key", "S" + "G." + chars(rng, 22) + "." + chars(rng, 43)),
        ("mail_key", "ke" + "y-" + chars(rng, 32, HEX)),
    ]
    rows += [
        ("mail_key", chars(rng, 32, HEX) + "-us" + "12"),
        ("mail_key", "xkey" + "sib-" + chars(rng, 64, HEX) + "-" + chars(rng, 16)),
    ]
    rows += [("mail_key", "r" + "e_" + chars(rng, 8) + "_" + chars(rng, 24))]
    rows += [
        ("service_key", one(("S" + "K", "A" + "C")) + chars(rng, 32, HEX)),
        ("service_key", "sq" + "0atp-" + chars(rng, 22)),
    ]
    rows += [
        ("service_key", "shp" + "at_" + chars(rng, 32, HEX)),
        ("service_key", "do" + "p_v1_" + chars(rng, 64, HEX)),
    ]
    rows += [
        ("service_key", "pscale" + "_tkn_" + chars(rng, 43)),
        ("service_key", "snt" + "rys_" + chars(rng, 60)),
        ("service_key", "EA" + "AA" + chars(rng, 60)),
    ]
    rows += [
        ("service_key", "access_" + "token$production$" + chars(rng, 16) + "$" + chars(rng, 32, HEX)),
        ("service_key", "py" + "lf_v1_us_" + chars(rng, 40)),
    ]
    return [Secret(kind, text) for kind, text in rows]


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


SHAPED_TEMPLATES: tuple[Callable[[str], str], ...] = (
    lambda secret: secret,
    lambda secret: f"Request failed: {secret} was rejected by the server",
    lambda secret: f'{{"error": {{"message": "bad value", "value": {json.dumps(secret)}}}}}',
    lambda secret: json.dumps({"body": json.dumps({"value": secret})}),
    lambda secret: f"ValueError({secret!r})",
    lambda secret: f'first line\n  File "app.py", line 3, in charge\n    pay({secret!r})\n{secret}\n',
    lambda secret: f"<error>{secret}</error>",
    lambda secret: f"https://api.shop.test/v1/items?value={secret}&page=2",
    lambda secret: f"value={secret};other=1",
    lambda secret: f"('x', '{secret}', 3)",
    lambda secret: f"got [{secret}], wanted nothing",
    lambda secret: f"b'{secret}'",
)
KEYS = (
    "password",
    "DB_PASSWORD",
    "dbPassword",
    "api_key",
    "X-Api-Key",
    "client_secret",
    "access_token",
    "refreshToken",
)
KEYED_TEMPLATES: tuple[Callable[[str, str], str], ...] = (
    lambda key, secret: f"{key}={secret}",
    lambda key, secret: f"could not connect: host=db {key}={secret} port=5432",
    lambda key, secret: f"{key}: {secret}",
    lambda key, secret: f"{key} => '{secret}'",
    lambda key, secret: f"{key} := {secret}",
    lambda key, secret: f'{{"{key}": "{secret}", "user": "app"}}',
    lambda key, secret: f"{{'{key}': '{secret}', 'user': 'app'}}",
    lambda key, secret: json.dumps({"body": json.dumps({key: secret})}),
    lambda key, secret: json.dumps({"a": json.dumps({"body": json.dumps({key: secret})})}),
    lambda key, secret: f"{{&quot;{key}&quot;: &quot;{secret}&quot;}}",
    lambda key, secret: f"%22{key}%22%3A%22{secret}%22",
    lambda key, secret: f"redirect=%2Fcb%3F{key}%3D{secret}%26page%3D2",
    lambda key, secret: f"(b'{key}', b'{secret}')",
    lambda key, secret: f"[('{key}', '{secret}')]",
    lambda key, secret: f"app --{key} {secret} --verbose",
    lambda key, secret: f"app --{key}={secret} --verbose",
    lambda key, secret: f"<{key}>{secret}</{key}>",
    lambda key, secret: f"the {key} is '{secret}' there",
    lambda key, secret: f"the {key} is {secret}",
    lambda key, secret: f'  File "a.py", line 1, in f\n    connect({key}="{secret}")\n',
    lambda key, secret: f"https://example.com/cb?{key}={secret}",
)


def planted(seed: int) -> Iterator[tuple[Secret, str]]:
    """Each secret in each text it can stand in."""
    rng = random.Random(seed)
    for secret in shaped(rng):
        for template in SHAPED_TEMPLATES:
            yield secret, template(secret.text)
    for number in [luhn("4", 16, rng), luhn("51", 16, rng), luhn("6011", 16, rng)]:
        for spelling in spellings(number):
            yield Secret("card", spelling), f"paid with {spelling} today"
    for secret in keyed(rng):
        for key in KEYS:
            for place in KEYED_TEMPLATES:
                yield secret, place(key, secret.text)
    for name in ("postgres", "redis", "amqps", "mongodb+srv", "https"):
        password = chars(rng, 14) + "@!"
        yield Secret("url_password", password), f"cannot reach {name}://app:{password}@db.internal:5432/shop"
    path = f"T{chars(rng, 9, BASE32)}/B{chars(rng, 9, BASE32)}/" + chars(rng, 24)
    yield Secret("chat_token", path), f"POST https://hooks.slack.com/services/{path} failed: 404"
    path = f"{_digits(rng, 18)}/{chars(rng, 60)}"
    yield Secret("chat_token", path), f"POST https://discord.com/api/webhooks/{path} failed: 404"
    basic = base64.b64encode(f"user:{chars(rng, 10)}".encode()).decode()
    for scheme, value in (
        ("Basic", basic),
        ("Bearer", chars(rng, 30)),
        ("Digest", f'username="x", response="{chars(rng, 32, HEX)}"'),
    ):
        yield Secret("authorization", value), f"> Authorization: {scheme} {value}\n> Accept: */*"
    cookie = f"sid={chars(rng, 20)}; theme=dark"
    yield Secret("cookie", cookie), f"Cookie: {cookie}\nHost: example.com"


def leaked(secret: str, text: str, least: int = 8) -> bool:
    """Tell whether *least* characters in a row of *secret* are left in *text*."""
    if len(secret) <= least:
        return secret in text
    return any(secret[at : at + least] in text for at in range(len(secret) - least + 1))

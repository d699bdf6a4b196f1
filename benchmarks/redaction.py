"""What redaction costs: `python benchmarks/redaction.py` prints the budgets of redaction.md, section 5, and what was measured."""

import time
from collections.abc import Callable
from functools import partial

from otel_guard.core.redaction import Redactor, redact

KIB = 1024
CLEAN = (
    "Charge ch_3MtwBwLkdIwHu7ix28a3tqPa for customer cus_NffrFeUfNV2Hib failed after 3 attempts: connection to "
    "api-1.internal:443 timed out (trace 4bf92f3577b34da6a3ce929d0e0e4736, request req_8sB2x)"
)
MIXED = (
    f"{CLEAN}\n" * 8
    + f'{{"password": "{"hunter" + "2"}", "email": "jane@example.com"}} postgres://app:{"pass" + "w0rd"}@db:5432/shop '
    + f"Authorization: Bearer {'ab12' * 8}\ncard 4242 4242 4242 4242 key {'sk_' + 'live_' + 'a1b2' * 6}\n"
)
FRAME = '  File "/usr/lib/python3.11/site-packages/shop/pay.py", line 212, in charge\n    return self.client.post(url, token=token)\n'
HOSTILE = (
    *(
        "a",
        "4",
        "4 ",
        "4\n",
        "4242 4242 4242 4242 ",
        "4242-4242-4242-4242-",
        "@",
        "a@",
        "a@a.aa ",
        "://",
        "://a:b@c ",
        "eyJ",
        "sk-",
        "key: ",
    ),
    *(
        "password=",
        "password",
        "password:'",
        'password=\\"',
        "password is ",
        "--password ",
        "<password>",
        "('password', 'x')",
        "signature=",
    ),
    *(
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END RSA PRIVATE KEY-----",
        "aa11",
        "de89 3704 ",
        "bearer ",
        "basic dXNlcjpwYXNz ",
        ")=(",
    ),
    *(
        "[sql: 'a' ",
        "[parameters: ",
        "dup key: { a: ",
        "LINE 1: ",
        "mysql -p",
        "curl -u a:b ",
        "123-45-6789 ",
        "cookie: a=b; ",
        "AKIA",
    ),
    *(
        "[redacted:card]",
        "[redact",
        "SG.",
        "-us",
        "_secret_",
        "123456789:AA",
        "\u0660",
        "\ud800",
        "password&quot;:&quot;",
        "%22password%22%3A%22",
    ),
    *(
        "    password = foo\n",
        "[redacted:card]4242424242424242 ",
        "0.4242424242424242 ",
        "phone: +1 415 ",
        "password=${",
        "authorization: ",
    ),
)


def micros(work: Callable[[], object], repeats: int, rounds: int = 7) -> float:
    """The best of *rounds*, µs of process CPU a call."""
    best = float("inf")
    for _ in range(rounds):
        before = time.process_time()
        for _ in range(repeats):
            work()
        best = min(best, (time.process_time() - before) / repeats * 1e6)
    return best


def of_size(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


def main() -> None:
    redactor = Redactor()
    mixed = of_size(MIXED, 2 * KIB)
    rows = [
        (f"clean message, {len(CLEAN)} B", 20.0, micros(lambda: redactor.text(CLEAN), 2000)),
        (f"mixed, {len(mixed)} B", 400.0, micros(lambda: redactor.text(mixed), 200)),
        ("traceback, 64 KiB", 50_000.0, micros(lambda: redactor.text(of_size(FRAME, 64 * KIB)), 3)),
        (
            "span of 15 attributes",
            200.0,
            micros(lambda: redactor.mapping({f"key.{at}": f"GET /a/{at}" for at in range(15)}), 300),
        ),
    ]
    for unit in HOSTILE:
        full, half = of_size(unit, 64 * KIB), of_size(unit, 32 * KIB)
        cost, halved = micros(partial(redact, full), 1, 3), micros(partial(redact, half), 1, 3)
        rows.append((f"64 KiB of {unit!r}, doubling {cost / max(halved, 1):.1f}x", 50_000.0, cost))
    print(f"{'input':60} {'budget µs':>12} {'µs':>12}")
    for name, budget, cost in rows:
        print(f"{name:60} {budget:12,.0f} {cost:12,.1f}{'  over' if cost > budget else ''}")


if __name__ == "__main__":
    main()

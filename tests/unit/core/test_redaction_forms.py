"""Every form in which a key and its value are written, and the places of §3 that have a shape of their own."""

import pytest

from otel_guard.core.redaction import redact

FORMS = [
    ("536 90 4399 x ssn=536 90 4399", "ssn=536 90 4399"),
    ('{"ssn": "536 90 4399"}', "4399"),
    ("cvv: 123", "123"),
    ("card cvv=4321,", "4321"),
    ("security code: 998", "998"),
    ("pin is 4321", "4321"),
    ("PIN=1234", "1234"),
    ("phone: +1 (415) 555-0132.", "0132"),
    ('"phone_number": "415-555-0132"', "0132"),
    ("phone=(415) 555-0132", "0132"),
    ("account number: 000123456789", "456789"),
    ("routing_number=110000000", "110000000"),
    ("IBAN: de89 3704 0044 0532 0130 00", "0532"),
    ('E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: "jane" }', "jane"),
    ("(1062, \"Duplicate entry 'jane' for key 'users.email'\")", "jane"),
    ("DETAIL:  Key (email, name)=(jane, Jane (x) Doe) already exists.", "Jane"),
    ("DETAIL:  Schlüssel »(name)=(Jane)« existiert bereits.", "Jane"),
    ("Failing row contains (1, null, Jane Doe, 12).", "Jane"),
    ("Fehlgeschlagene Zeile enthält (1, null, Jane Doe, 12).", "Jane"),
    ("La ligne en échec contient (1, null, Jane Doe).", "Jane"),
    ('invalid input syntax for type integer: "jane doe"', "jane"),
    ("ungültige Eingabesyntax für Typ integer: »jane doe«", "jane"),
    ('invalid input value for enum mood: "jane"', "jane"),
    ("syntaxe en entrée invalide pour le type integer : « jane »", "jane"),
    ('value "99999999999" is out of range for type integer', "99999"),
    ("LINE 1: SELECT * FROM users WHERE name = 'Jane'\n      ^", "Jane"),
    (
        "[SQL: INSERT INTO users (name) VALUES ('Jane', %(x)s)]\n[parameters: {'name': 'Jane', 'n': [1]}]\n(Background on",
        "Jane",
    ),
    ("[parameters: ('Jane', 12)]", "Jane"),
    ("mysql -uroot -phunter2x db", "hunter2x"),
    ("sshpass -p hunter2x ssh", "hunter2x"),
    ("curl -u app:hunter2x https://x", "hunter2x"),
    ("CREATE USER x IDENTIFIED BY 'hunter2x'", "hunter2x"),
    ("ALTER ROLE app PASSWORD 'hunter2x'", "hunter2x"),
    ("Authorization: Token abcdef", "abcdef"),
    ("'Authorization': 'AWS4-HMAC-SHA256 Credential=AK/20, Signature=ab'", "Signature=ab"),
    ("curl -H 'Authorization: Bearer abc' https://h/x", "abc"),
    ("[(b'authorization', b'Bearer abcabc'), (b'cookie', b'a=b; c=ddd')]", "ddd"),
    ("Set-Cookie: sid=abcdef; Path=/", "abcdef"),
    (
        "Stripe-Sig" + "nature: t=1492774577,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd",
        "5257a869",
    ),
    (
        "https://b.test/x?X-Amz-Sig" + "nature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024&x=1",
        "fe5f80",
    ),
    ("https://a.blob.core.windows.net/x?sv=2020&si" + "g=abc%2Fdefghijk12345%3D&se=1", "defghijk"),
    (
        "DefaultEndpointsProtocol=https;AccountName=x;Account" + "Key=abcdefghijklmnopqrstuvwxyz012345==;E=1",
        "abcdefghijk",
    ),
    ("ConnectionString: Server=tcp:x;User ID=a;Password=hunter2;", "hunter2"),
    ("Server=db;Uid=a;Pwd=hunter2;", "hunter2"),
    ("db_pass=hunter2", "hunter2"),
    ("SMTP_PASS: hunter2", "hunter2"),
    ("PGPASSWORD=hunter2 psql", "hunter2"),
    ("API key: abcdef123", "abcdef123"),
    ("Your api key is abcdef123", "abcdef123"),
    ("'api_key': 12345678", "12345678"),
    ("<ns:password>hunter2</ns:password>", "hunter2"),
    ('<input name="password" value="hunter2">', "hunter2"),
    ('{"name": "Authorization", "value": "Bearer x1"}', "Bearer x1"),
    ('password "hunter2"', "hunter2"),
    ("password=it's-s3cret x", "s3cret"),
    ('os.environ["API_KEY"] = "hunter2"', "hunter2"),
    ("user[password]=hunter2", "hunter2"),
    ("user%5Bpassword%5D=hunter2", "hunter2"),
    ("550 5.1.1 <jane@localhost>: Recipient address rejected", "jane"),
    ("SMTP error to jane@mailhost", "jane"),
    ('mail "jane doe"@x.com', "jane"),
    ("pi_3MtwBwLkdIwHu7ix28a3tqPa_sec" + "ret_YrKJUKribcBjcG8HVhfZluoGH", "YrKJ"),
    ("cs: seti_1_sec" + "ret_YrKJUKribcBjcG8HVhfZluoGH", "YrKJ"),
    ("https://" + "0123456789abcdef" * 2 + "@o1.ingest.sentry.io/1", "0123456789abcdef"),
    ("redis://:hunter2@h:6379/0", "hunter2"),
    ("postgres://u:pa/ss@host/db", "pa/ss"),
    ("postgres://u:p@ss@host/db", "p@ss"),
    ("postgres://u:pa#ss@host/db", "pa#ss"),
    ("https:\\/\\/u:hunter2@h", "hunter2"),
    ("url=https%3A%2F%2Fu%3Ahunter2%40h", "hunter2"),
    ("card 4242 4242 4242 4242 exp 12/27", "4242 4242"),
    ("4000056655665556", "0566"),
    ("number=4242424242424242&cvc=123", "cvc=123"),
    ("378282246310005", "82246"),
    ("3782 822463 10005", "822463"),
    ("x-api-key: abcdef", "abcdef"),
    ("secret=abc", "abc"),
    ("password: letmein", "letmein"),
    ("Password:hunter", "hunter"),
    ("passphrase 'correct horse battery'", "correct"),
    ('password: "correct horse battery staple"', "horse"),
    ('password="multi\\nline\\"quoted"', "quoted"),
    ("jane\\u0040example.com", "jane"),
    ("&lt;password&gt;hunter2&lt;/password&gt;", "hunter2"),
    ("gl" + "pat-abcdefghij0123456789", "abcdefghij"),
    ("session_id=abc123def", "abc123def"),
    ("PHPSESSID=abc123def;", "abc123def"),
    ("csrfmiddlewaretoken=abc123def", "abc123def"),
    ("Token: abcdef12", "abcdef12"),
    ("otp: 123456", "123456"),
    ("the one-time code otp=12345a", "12345a"),
    ("tax id: 12-3456789", "3456789"),
    ("private_key_id: abcdef12", "abcdef12"),
    ("credentials=abc:def", "abc:def"),
    ("--api-key abc123def", "abc123def"),
]


@pytest.mark.parametrize(("text", "secret"), FORMS)
def test_a_secret_goes_from_the_form_it_is_written_in(text: str, secret: str) -> None:
    safe, counts = redact(text)

    assert secret not in safe
    assert counts
    assert redact(safe) == (safe, {})


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        (
            "postgres://app:hunter2@db.internal:5432/shop",
            "postgres://app:[redacted:url_password]@db.internal:5432/shop",
        ),
        ('{"password": "hunter2", "user": "app"}', '{"password": "[redacted:password]", "user": "app"}'),
        ("DETAIL:  Key (email)=(a b) already exists.", "DETAIL:  Key (email)=([redacted:db_value]) already exists."),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: [redacted:cookie]\nHost: x"),
        ("<password>hunter2</password>", "<password>[redacted:password]</password>"),
        ("from jane@example.com to x", "from [redacted:email] to x"),
        ("https://x.test/a?token=abc&page=2", "https://x.test/a?token=[redacted:token]&page=2"),
        ('dup key: { email: "jane" }', "dup key: { email: [redacted:db_value]}"),
    ],
)
def test_what_stands_round_a_secret_stays(text: str, safe: str) -> None:
    assert redact(text)[0] == safe

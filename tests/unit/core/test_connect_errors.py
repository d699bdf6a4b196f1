import pytest

from otel_guard.core.connect_errors import error_class

SERVER = 'connection failed: connection to server at "db", port 5432 failed: '


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (SERVER + 'FATAL:  password authentication failed for user "jane"', "auth"),
        (SERVER + 'FATAL:  no pg_hba.conf entry for host "1.2.3.4"', "auth"),
        (SERVER + 'FATAL:  role "jane" does not exist', "auth"),
        (SERVER + 'FATAL:  database "shop" does not exist', "config"),
        (SERVER + "FATAL:  sorry, too many clients already", "quota"),
        (SERVER + "FATAL:  remaining connection slots are reserved", "quota"),
        (SERVER + "timeout expired", "timeout"),
        (SERVER + "Connection refused", None),
        ("", None),
    ],
)
def test_the_servers_sentence_tells_the_class(text: str, found: str | None) -> None:
    assert error_class(text) == found

import pytest

from otel_guard.core.redis_command import digest


@pytest.mark.parametrize(
    ("given", "summary", "text"),
    [
        ("GET ?", "GET", "GET ?"),
        ("get ?", "GET", "GET ?"),
        ("CONFIG GET ?", "CONFIG GET", "CONFIG GET ?"),
        ("CLIENT NO-EVICT ?", "CLIENT NO-EVICT", "CLIENT NO-EVICT ?"),
        ("FT.SEARCH ? ?", "FT.SEARCH", "FT.SEARCH ? ?"),
        ("SET jane secret", "SET", "SET ? ?"),
        ("jane@example.org x", "OTHER", "OTHER ?"),
        ("", "OTHER", "OTHER"),
        ("SET ? ?\nSET ? ?", "PIPELINE SET", "SET ? ?\nSET ? ?"),
        ("SET ? ?\nGET ?", "PIPELINE", "SET ? ?\nGET ?"),
    ],
)
def test_a_command_shows_its_name_alone(given: str, summary: str, text: str) -> None:
    found = digest(given)

    assert (found.summary, found.operation, found.text) == (summary, summary, text)


def test_a_long_pipeline_is_cut_between_commands() -> None:
    found = digest("\n".join(["SET ? ?"] * 1_000))

    assert found.summary == "PIPELINE SET"
    assert len(found.text) <= 1_000
    assert set(found.text.split("\n")) == {"SET ? ?"}

"""Errors of databases in three languages, with their fields and without."""

import pytest

from otel_guard.core.redaction import database_text, first_line_of_status


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            ("23505", 'duplicate key value violates unique constraint "k"\nDETAIL: x', "users", None, "k"),
            'duplicate key value violates unique constraint "k" (SQLSTATE 23505, table users, constraint k)',
        ),
        (
            ("23502", "Nullwert in Spalte »name« verletzt Not-Null-Constraint", "users", "name", None),
            "Nullwert in Spalte »name« verletzt Not-Null-Constraint (SQLSTATE 23502, table users, column name)",
        ),
        (
            ("22P02", 'invalid input syntax for type integer: "jane "x" doe"', None, None, None),
            "invalid input syntax for type integer: [redacted:db_value] (SQLSTATE 22P02)",
        ),
        (
            ("22P02", "ungültige Eingabesyntax für Typ integer: »jane«", None, None, None),
            "ungültige Eingabesyntax für Typ integer: [redacted:db_value] (SQLSTATE 22P02)",
        ),
        (
            ("22003", "la valeur « 99 » est en dehors des limites", None, None, None),
            "la valeur [redacted:db_value] est en dehors des limites (SQLSTATE 22003)",
        ),
        (
            ("42601", 'unterminated quoted string at or near "\'jane"', None, None, None),
            "unterminated quoted string at or near [redacted:db_value] (SQLSTATE 42601)",
        ),
        ((None, "connection refused", None, None, None), "connection refused"),
    ],
)
def test_the_text_is_made_of_the_fields(fields: tuple[str | None, str, str, str, str], text: str) -> None:
    assert database_text(*fields) == text


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ('duplicate key value violates "k"\nDETAIL: (jane)', "duplicate key value violates"),
        ("ungültige Eingabesyntax für Typ integer: »jane«", "ungültige Eingabesyntax für Typ integer"),
        ("syntaxe en entrée invalide : « jane »", "syntaxe en entrée invalide"),
        ("wert „jane“ zu lang", "wert"),
        ("Schlüssel (mail)=(jane)", "Schlüssel"),
        ("Duplicate entry 'jane' for key", "Duplicate entry"),
        ("无效的输入语法\uff1a「jane」", "无效的输入语法\uff1a"),
        ("connection refused\nsecond", "connection refused"),
    ],
)
def test_a_status_ends_at_its_first_quote_or_bracket(status: str, line: str) -> None:
    assert first_line_of_status(status) == line

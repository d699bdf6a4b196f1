"""Literals never stay in SQL, names and shape do."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_guard.core import sql

WORD = "hush" + "Hush7"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("SELECT 'a'", "SELECT ?"),
        ("SELECT 'it''s', 1", "SELECT ?, ?"),
        (r"SELECT E'it\'s x' AS a", "SELECT ? AS a"),
        (r"SELECT e'\\' , 'b'", "SELECT ? , ?"),
        ("SELECT N'a', X'0f', B'01', U&'d\\0061t', _utf8'a'", "SELECT ?, ?, ?, ?, ?"),
        ("SELECT $$a 'b' c$$, $tag$ $$ $tag$, 1", "SELECT ?, ?, ?"),
        ("SELECT q'[it's]', nq'{a}', Q'!b!' FROM t", "SELECT ?, ?, ? FROM t"),
        ("SELECT a$b$c, t1.x2 FROM t1", "SELECT a$b$c, t1.x2 FROM t1"),
        ("SELECT 1, -2, 3.5, .5, 1e10, 1e-5, 0xFF, 1_000, 7::int", "SELECT ?, -?, ?, ?, ?, ?, ?, ?, ?::int"),
        ("SELECT true, FALSE, NULL", "SELECT true, FALSE, NULL"),
        ("SELECT %s, %(a_1)s, :b, $1, ?, ?2, @p1", "SELECT %s, %(a_1)s, :b, $1, ?, ?2, @p1"),
        ("SELECT id % 10, a%10, a->>'b'", "SELECT id % ?, a%?, a->>?"),
        ("SELECT 1 -- a 'b'\n, 2", "SELECT ? , ?"),
        ("SELECT /* a 'b */ 1 /* x /* y */ 'z' */", "SELECT ?"),
        ("SELECT /* a /* b */ c", "SELECT c"),
        ("# a\nSELECT a # b", "SELECT a # b"),
        ("SELECT a FROM t WHERE b IN (1, 2, 3)", "SELECT a FROM t WHERE b IN (?)"),
        ("SELECT a FROM t WHERE b in ('x')", "SELECT a FROM t WHERE b in (?)"),
        ("WHERE b NOT IN (%(b_1_1)s, %(b_1_2)s)", "WHERE b NOT IN (?)"),
        ("WHERE b IN ($1::VARCHAR, $2::VARCHAR)", "WHERE b IN (?)"),
        ("WHERE b IN ($1::NUMERIC(10, 2), $2::VARCHAR(5)[])", "WHERE b IN (?)"),
        ("INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y'), (3, NULL)", "INSERT INTO t (a, b) VALUES (?, ?)"),
        ("VALUES (%(a__0)s, %(b__0)s), (%(a__1)s, %(b__1)s)", "VALUES (%(a__0)s, %(b__0)s)"),
        ('SELECT "user".id FROM "user" WHERE "a" = "b"."c"', 'SELECT "user".id FROM "user" WHERE "a" = "b"."c"'),
        ('SELECT a FROM t WHERE b = "alice"', "SELECT a FROM t WHERE b = ?"),
        ('INSERT INTO t VALUES ("x", "y") RETURNING "id"', 'INSERT INTO t VALUES (?, ?) RETURNING "id"'),
        ('SELECT a FROM t WHERE b IN ("x", "y") AND "c" > 1', 'SELECT a FROM t WHERE b IN (?) AND "c" > ?'),
        ('SELECT "me@example.com"', "SELECT ?"),
        ("SELECT `a 'b`, 'c' FROM `t`", "SELECT `a 'b`, ? FROM `t`"),
        ("CREATE USER u IDENTIFIED BY hunter2", "CREATE USER u IDENTIFIED BY ?"),
        ("SELECT 'never closed", "SELECT ?"),
        ("SELECT $$never closed", "SELECT ?"),
        ("SELECT é1, 'ß'", "SELECT é1, ?"),
        ("", ""),
    ],
)
def test_a_literal_is_a_question_mark(query: str, shown: str) -> None:
    assert sql.sanitize(query) == shown


def test_in_mysql_double_quotes_hold_text() -> None:
    assert sql.sanitize('SELECT "a", `b` FROM t', "mysql") == "SELECT ?, `b` FROM t"


@pytest.mark.parametrize(
    "query",
    [
        rf"SELECT 'a\', '{WORD}' FROM t",  # the standard's reading
        rf"SELECT 'a\'{WORD}' FROM t",  # MySQL's
        rf"SELECT 'a\'{WORD}', 'b' FROM t",
        rf"SELECT 'C:\', x, '{WORD}'",
        rf'SELECT "a\"{WORD}" FROM t',
        f"SELECT '{WORD}",
        f"SELECT 'a' '{WORD}'",
        f"SELECT E'\\'{WORD}'",
        f"SELECT $a$ $b$ {WORD} $b$ $a$",
        f"/* {WORD} */ SELECT 1 -- {WORD}",
        f"/*! {WORD} */ SELECT 1",
        f"INSERT INTO t VALUES ('{WORD}', \"{WORD}\")",
        f'UPDATE t SET a = "{WORD}"',
        f'SELECT * FROM t WHERE a LIKE "{WORD}"',
        f"COMMENT ON TABLE t IS '{WORD}'",
        f"ALTER ROLE r PASSWORD '{WORD}'",
    ],
)
def test_no_reading_of_a_text_leaves_it(query: str) -> None:
    assert WORD not in sql.sanitize(query)


@given(st.text(alphabet="'\"`$\\/*-# \nEenNqQ[](){}a1,.=?:@%", max_size=200))
def test_it_never_raises_and_is_done_once(query: str) -> None:
    shown = sql.sanitize(query)

    assert sql.sanitize(shown).count("'") == shown.count("'") or "`" in query or '"' in query
    sql.digest(query)


@given(st.text(max_size=60))
def test_a_well_quoted_text_is_gone(value: str) -> None:
    quoted = value.replace("\\", "").replace("'", "''")

    assert sql.sanitize(f"SELECT a FROM t WHERE b = '{quoted}' AND c = 1") == "SELECT a FROM t WHERE b = ? AND c = ?"


@pytest.mark.parametrize(
    "unit",
    ["'", "''", "\\'", "'\\'", "/*", "/*/* */", "$$", "$a$", "q'[", '"', "`", "--", "1e", "(?, ", "(?),", "IN (?,"],
)
def test_time_is_bounded_by_size(unit: str) -> None:
    query = unit * (sql.LIMIT // len(unit) * 2)
    started = time.perf_counter()
    sql.digest(query)

    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("query", "summary", "table"),
    [
        ("SELECT * FROM users WHERE id = 1", "SELECT users", "users"),
        ("select a.id from public.users a", "SELECT public.users", "public.users"),
        ('SELECT "users"."id" FROM "users"', "SELECT users", "users"),
        ('SELECT x FROM "song list"', 'SELECT "song list"', '"song list"'),
        ("SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c ON 1=1, d", "SELECT a b c", "a"),
        ("SELECT * FROM a, b AS y, c WHERE x", "SELECT a b c", "a"),
        ("SELECT x FROM (SELECT * FROM o JOIN p ON x) AS s WHERE y", "SELECT SELECT o p", "o"),
        ("SELECT * FROM a WHERE id IN (SELECT id FROM b)", "SELECT a SELECT b", "a"),
        ("(SELECT a FROM t) UNION (SELECT a FROM u)", "SELECT t SELECT u", "t"),
        ("INSERT INTO orders (a) VALUES (%s) RETURNING id", "INSERT orders", "orders"),
        ("INSERT OR REPLACE INTO o VALUES (?)", "INSERT o", "o"),
        ("REPLACE INTO o VALUES (1)", "REPLACE o", "o"),
        ("INSERT INTO s SELECT * FROM o", "INSERT s SELECT o", "s"),
        ("INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2", "INSERT t", "t"),
        ("UPDATE users SET a = 1 FROM b WHERE c", "UPDATE users b", "users"),
        ("DELETE FROM users WHERE a", "DELETE users", "users"),
        ("SELECT a FROM t FOR UPDATE", "SELECT t", "t"),
        ("SELECT EXTRACT(year FROM b), TRIM(both FROM c) FROM t", "SELECT t", "t"),
        ("SELECT a IS DISTINCT FROM b FROM t", "SELECT t", "t"),
        ("SELECT * FROM generate_series(1, 2) g", "SELECT", None),
        ("WITH x AS (SELECT a FROM t) SELECT * FROM x JOIN u ON 1", "SELECT t SELECT u", "t"),
        ("WITH x (a, b) AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM x", "INSERT t SELECT", "t"),
        ("MERGE INTO t USING s ON a WHEN MATCHED THEN UPDATE SET b = 1", "MERGE t", "t"),
        ("CREATE TABLE IF NOT EXISTS users (id int)", "CREATE TABLE users", "users"),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX i", "i"),
        ("DROP TABLE IF EXISTS users", "DROP TABLE users", "users"),
        ("TRUNCATE TABLE users", "TRUNCATE users", "users"),
        ("CALL some_procedure(1)", "CALL some_procedure", "some_procedure"),
        ("COPY t FROM STDIN", "COPY t", "t"),
        ("EXPLAIN SELECT a FROM t", "EXPLAIN SELECT t", "t"),
        ("BEGIN", "BEGIN", None),
        ("SET search_path TO x", "SET", None),
        ('PRAGMA main.table_info("users")', "PRAGMA", None),
        ("SELECT 1", "SELECT", None),
        ("SELECT a FROM t; DELETE FROM u", "SELECT t DELETE u", "t"),
        ("/* x */ -- y\nSELECT a FROM t", "SELECT t", "t"),
        ("SELECT a FROM events_2024_01_05", "SELECT events_?", "events_2024_01_05"),
        ("SELECT a FROM s3_objects", "SELECT s3_objects", "s3_objects"),
        ("-- only", "SQL", None),
        ("", "SQL", None),
    ],
)
def test_verbs_and_tables_name_a_statement(query: str, summary: str, table: str | None) -> None:
    assert (sql.summary(query), sql.table(query)) == (summary, table)


def test_a_summary_ends_between_words() -> None:
    summary = sql.summary(
        "SELECT a FROM " + ", ".join(f"table_name_{letter}{n}" for letter in "abcdefgh" for n in range(9))
    )

    assert len(summary) <= 255
    assert re.search(r"table_name_\w\d$", summary)

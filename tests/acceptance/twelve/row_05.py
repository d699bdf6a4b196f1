"""5: an SQL span; Flask's `got_request_exception`."""

import os

import scene
import sqlalchemy

import otel_guard


def view() -> str:
    otel_guard.user("u-1")
    with engine.connect() as connection:
        return str(connection.execute(sqlalchemy.text("SELECT price FROM no_such_table WHERE id = 17")).scalar())


scene.begin()
engine = sqlalchemy.create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"))
scene.visit(scene.application(), view)

"""The SQL of the store, by file name."""

from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "sql"


@cache
def statement(name: str) -> bytes:
    """Read `sql/<name>.sql`; values only ever come as parameters."""
    return (FOLDER / f"{name}.sql").read_bytes()

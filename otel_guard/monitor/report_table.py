"""Parts of a report, and its tables before they are drawn."""

from collections.abc import Sequence

from msgspec import Struct


class Table(Struct, frozen=True, kw_only=True):
    """Cells as text; *wide* takes the room that is left, the column after it goes below it where there is little."""

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    wide: int | None = None
    is_note_last: bool = False  # the last column is long where there is any: always below


class Part(Struct, frozen=True):
    """A section: sentences, then tables, then what follows from them."""

    title: str
    lines: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    ending: tuple[str, ...] = ()


def columns(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    wide: int | None = None,
    title: str = "",
    is_note_last: bool = False,
) -> Table | None:
    """A table without its empty columns; None: there is no row."""
    if not rows:
        return None
    kept = [number for number in range(len(names)) if number == wide or any(row[number] for row in rows)]
    return Table(
        title=title,
        names=tuple(names[number] for number in kept),
        rows=tuple(tuple(row[number] for number in kept) for row in rows),
        right=tuple(kept.index(number) for number in right if number in kept),
        wide=None if wide is None else kept.index(wide),
        is_note_last=is_note_last and len(names) - 1 in kept,
    )

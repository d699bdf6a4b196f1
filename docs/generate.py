"""Writes the reference pages from the code: python -m docs.generate."""

from pathlib import Path
from typing import Final

from docs import reference_api, reference_commands, reference_settings

HERE: Final = Path(__file__).parent


def pages() -> dict[Path, str]:
    """Each page and its whole text."""
    return {
        HERE / "api.md": reference_api.text(),
        HERE / "commands.md": reference_commands.text(),
        HERE / "settings.md": reference_settings.text(),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.bugsink import bugsink

__all__ = ["bugsink"]

"""`python -m pipeline` and the command `schoolgate`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Without:
    """Says that there is no pandas. Nothing here uses it, but pyarrow loads it at its first array, only to ask whether the values
    are one of its: a quarter of the start of every command, and 40 MB."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError(name=name)
        return None


def main() -> None:
    """Load the command and do what was typed."""
    sys.meta_path.insert(0, _Without)
    from pipeline.cli import main as run  # noqa: PLC0415  (not before pandas is out of the way)

    run()


if __name__ == "__main__":
    main()

"""What the README shows of the code is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline import tables
from pipeline.cli import app

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


def test_the_data_dictionary_is_the_one_the_code_prints() -> None:
    """Between its marks stands what `tables.dictionary()` gives; `make docs` renews it."""
    found = re.search(r"<!-- dictionary -->\n(.*)<!-- /dictionary -->", README, re.DOTALL)
    assert found and found[1].strip() == tables.dictionary().strip()


@pytest.mark.parametrize("command", [c.name or c.callback.__name__ for c in app.registered_commands])
def test_every_command_is_described(command: str) -> None:
    """A command without a row in the README is a command nobody knows."""
    assert f"| `schoolgate {command}" in README

"""What the README shows of the code is what the code says."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from pipeline import handbook
from pipeline.cli import app
from pipeline.school.settings import Settings
from pipeline.version import VERSION

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("part", handbook.PARTS)
def test_what_stands_between_marks_is_what_the_code_prints(part: str) -> None:
    """Commands with their options, settings, and tables; `make docs` renews them."""
    found = re.search(rf"<!-- {part} -->\n(.*)<!-- /{part} -->", README, re.DOTALL)
    assert found and found[1].strip() == handbook.PARTS[part]().strip()


def test_renewing_puts_each_part_in_its_place_and_leaves_the_rest(tmp_path: Path) -> None:
    """An outdated part is written again; a second time nothing changes."""
    shutil.copy(ROOT / "README.md", tmp_path)
    (tmp_path / "rules").mkdir()
    text = README.replace("| `schoolgate verify`", "| `schoolgate varify`")
    assert text != README
    (tmp_path / "README.md").write_text(text, "utf-8")
    for _ in range(2):
        handbook.main(tmp_path)
        assert (tmp_path / "README.md").read_text("utf-8") == README


def words(command: Any) -> list[Any]:
    """A command and all below it."""
    return [command, *(word for below in getattr(command, "commands", {}).values() for word in words(below))]


def test_every_command_option_and_argument_has_help() -> None:
    """What `--help` leaves blank nobody can use."""
    for command in words(typer.main.get_command(app)):
        assert (command.help or "").strip(), command.name
        assert all((param.help or "").strip() for param in command.params), command.name


def test_pages_print_the_version_of_the_package() -> None:
    """One figure, in pyproject.toml and on pages."""
    assert tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"] == VERSION


def test_every_setting_has_a_description_and_the_sample_has_no_other() -> None:
    """The table in the README names what school.toml may hold, and the sample's settings are all in it."""
    table = handbook.settings()
    assert all(row.split(" | ")[2].strip(" |") for row in table.splitlines()[2:])
    sample = tomllib.loads((ROOT / "school.toml").read_text("utf-8"))
    assert set(sample) <= set(Settings.model_fields)
    assert all(f"| `{name}` |" in table for name in sample)
    assert all(f"| `{name}.{below}` |" in table for name in ("calendar", "retention") for below in sample[name])


def test_the_rules_have_their_page_from_the_vocabulary() -> None:
    """rules/README.md is what the code prints; `make docs` renews it."""
    assert (ROOT / "rules/README.md").read_text("utf-8") == handbook.rules()

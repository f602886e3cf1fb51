"""A command starts quickly because it loads nothing that it does not use."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SLOW = {"pandas", "altair", "vl_convert", "jinja2", "tldextract", "requests"}
LINE = "1757318412.087    143 192.0.2.61 TCP_TUNNEL/200 48213 CONNECT www.example.org:443 - HIER_DIRECT/203.0.113.9 -\n"

TOLD = """
import atexit, runpy, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
runpy.run_module("pipeline", run_name="__main__")
"""


@pytest.mark.parametrize("words", [["--help"], ["read", "access.log"]])
def test_help_and_read_load_no_library_of_pages_charts_or_suffixes(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(LINE, "utf-8")
    done = subprocess.run([sys.executable, "-c", TOLD, *words], cwd=tmp_path, capture_output=True,
                          text=True, env={"PYTHONPATH": str(ROOT)}, check=True)
    loaded = set(done.stderr.split())
    assert done.stdout
    assert "pipeline.cli" in loaded
    assert loaded & SLOW == set()


def test_what_draws_charts_loads_without_pandas(tmp_path: Path) -> None:
    script = ("import sys\nfrom pipeline.__main__ import _Without\nsys.meta_path.insert(0, _Without)\n"
              "import altair, vl_convert\nassert 'pandas' not in sys.modules")
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True)


def test_the_command_that_an_installation_makes_is_there(tmp_path: Path) -> None:
    """What pyproject.toml names as `schoolgate` starts it."""
    place, _, name = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]["schoolgate"].partition(":")
    script = f"import sys\nfrom {place} import {name} as main\nsys.argv = ['schoolgate', '--help']\nmain()"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)},
                          check=True)
    assert "Usage: schoolgate" in done.stdout

"""What `schoolgate formats try` says of logs that are not as they should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import logfiles, readout, trying
from pipeline.formats import bundled


def told(log: Path, text: str, form: str = "") -> tuple[list[str], list[str]]:
    """The lines said of a log, and its problems."""
    log.write_bytes(text.encode("latin-1"))
    lines, problems = trying.told(logfiles.measure(log), readout.Readout(form))
    return lines, [problem.what for problem in problems]


def test_as_many_lines_of_one_product_as_of_another_are_read_line_by_line(tmp_path: Path) -> None:
    """A syslog file of two products is no riddle where each line fits one of them alone."""
    two = [bundled()[name].file.examples[0] for name in ("squid", "cloudflare-http")]
    lines, problems = told(tmp_path / "mixed.log", "\n".join(two * 3) + "\n")
    assert problems == [] and lines[-1] == "6 request, 0 part, 0 furniture, 0 reject, 0 repeat"


@pytest.mark.parametrize("text", ["a,\rb,c,d\n", "\0,a,b,c\n", 'x "' + "y" * 200_000 + ",\n", "\x80\xff;;;\n"])
def test_what_is_no_text_is_a_sentence(tmp_path: Path, text: str) -> None:
    """Whatever its bytes are, nothing fails."""
    _, problems = told(tmp_path / "odd.log", text)
    assert [each for each in problems if "no log format" in each or "NUL" in each]


def test_a_header_that_is_no_list_of_names_leaves_the_columns_as_they_were(tmp_path: Path) -> None:
    """As after a crash: half a line end in it."""
    line = bundled()["proxysg"].file.examples[0]
    lines, problems = told(tmp_path / "elff.log", f"#Fields: date\rtime sc-filter-result\n{line}\n{line}\n", "proxysg")
    assert problems == [] and lines[-1] == "2 request, 0 part, 1 furniture, 0 reject, 0 repeat"


def test_a_format_that_is_not_there_is_said_and_nothing_else(tmp_path: Path) -> None:
    assert told(tmp_path / "any.log", "hello there\n", "squidd") == ([], ["is not a log format"])

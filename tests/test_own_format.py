"""The page that teaches a format of one's own is true: its file, followed step by step, reads its line."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from front_door import ROOT, schoolgate, typed

PAGE = (ROOT / "rules/formats/README.md").read_text("utf-8")
LINE = 'when="2026-09-08 09:05:11" pupil="OAK\\jsmith" from=192.0.2.61 asked=games.example.net/play did=STOP why=Games\n'


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What the command prints."""
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_the_page_leads_from_an_unknown_log_to_its_requests(tmp_path: Path) -> None:
    """Before the file: the fields by name, as printed on the page. After it: a blocked request with its user, host and time."""
    school = tmp_path / "school"
    shutil.copytree(ROOT / "rules", school / "rules")
    shutil.copy(ROOT / "school.toml", school)
    log = tmp_path / "filter.log"
    log.write_text(LINE * 3, "utf-8")
    before = said(typed(school, "formats", "try", str(log)))
    printed = re.search(r"    filter\.log\n((?:    .*\n)+)", PAGE)[1]
    assert all(line.strip() in before for line in printed.splitlines())
    (school / "rules/formats/oak.toml").write_text(re.search(r"```toml\n(# Oak.*?)```", PAGE, re.S)[1], "utf-8")
    after = said(schoolgate(school, "formats", "try", str(log)))
    assert "oak: Oak Filter" in after
    for words in ("2026-09-08T08:05:11", "OAK\\jsmith", "blocked", "games.example.net", "3 request, 0 part, 0 furniture, 0 reject"):
        assert words in after
    assert "0 faults" in said(schoolgate(school, "check"))

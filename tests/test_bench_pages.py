"""The made-up year that `make bench-pages` measures is one that the pages can be made of."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "sample_logs"))

import bench_pages  # noqa: E402  (found by the path above)

from pipeline import issuing  # noqa: E402
from pipeline.account import Account  # noqa: E402


def test_three_days_of_its_year_give_both_pages_with_its_incidents_and_breaches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it writes is what nights leave behind: 45 incidents, 24 of them confirmed, and nine breaches."""
    folder = tmp_path / "school"
    first = bench_pages.days
    monkeypatch.setattr(bench_pages, "days", lambda of: first(of)[:3])
    folder.mkdir()
    bench_pages.made(folder, 60, 200)
    with issuing.at_desk(folder, Account()) as desk:
        assert len(desk.registers.incidents()) == 45
        assert sum(state.verdict == "confirmed" for state in desk.registers.incidents().values()) == 24
        assert len(desk.registers.breaches()) == 9
    pages = [path for name, period in (("termly", "autumn-2026"), ("annual", "2026-27")) for path in issuing.report(folder, name, period).pages]
    assert {"reports/leadership/termly-autumn-2026.html", "reports/governors/annual-2026-27.html"} <= set(pages)
    assert "3 of 3" in (folder / pages[0]).read_text("utf-8")

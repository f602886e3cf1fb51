"""A correction travels to every page already issued: which pages named an incident, and a notice put on each that is still there.

Paper cannot be called back, so the entry of the correction names the pages, and whoever handed them out knows whom to tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pipeline import folders, schoolfolder
from pipeline.textfiles import read_texts

MAIN = '<main id="main" tabindex="-1">\n'


def issued(folder: Path, ref: str) -> list[str]:
    """The pages and exports that showed this incident with a name, by the register of looks, oldest first."""
    named = [entry.ref for entry in schoolfolder.journal(folder, "access").entries()
             if entry.body is not None and ref in entry.body.get("refs", ()) and entry.kind == "reveal"]
    return list(dict.fromkeys(page for page in named if page))


def mark(folder: Path, groups: Mapping[str, str], ref: str, pages: list[str], today: date) -> list[str]:
    """Put a notice on each of these pages that is still in reports/; those marked."""
    numbers, _ = folders.share(folder, groups)
    said = f"Corrected on {today}: {ref} was wrong and no longer holds. Tell whoever has this page on paper."
    notice = f'<p class="notice">{said}</p>\n'
    marked = []
    for name, text in read_texts(folder, [f"reports/*/{page}.html" for page in pages]).items():
        if notice not in text and MAIN in text:
            folders.put_page(folder / name, text.replace(MAIN, MAIN + notice, 1), numbers.get(name.split("/")[1]))
            marked.append(name)
    return marked

"""Every page in a real browser: no sideways scrolling, nothing fetched, nothing run, legible to all, and whole on paper.

One browser for all of them. Pages are those of a made-up school's day, and the same pages with hostile text in every field.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from small_school import line, make, quick, run
from test_pages import HOSTILE, PAGES, a_night, breach

from pipeline import failing, folders, render, rulefiles
from pipeline.pages import failed, index, inspection
from pipeline.problems import Problem

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium")
MONDAY = date(2026, 11, 2)
WIDTHS = (360, 768, 1440)
ELEVEN = datetime(2026, 11, 2, 11, tzinfo=UTC).timestamp()  # two lessons and a break are enough for every kind of page
PAPER = 672  # pixels of the 178 mm between the margins of an A4 sheet
LONG = "W" * 400
WORST = HOSTILE + "\u202etxt.exe\u2066 =HYPERLINK(1) " + LONG
SCRIPT = "<script>fetch('/ran')</script><img src=/fetched onerror=fetch('/ran')><style>@import '/fetched'</style>"
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "|", "%")


@dataclass
class Sight:
    """What was seen of one page: what it asked the network for beside itself, what the browser said, and how it stood."""

    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    beyond: dict[str, list[str]] = field(default_factory=dict)    # by width or paper: what stands out on the right
    faults: dict[str, list[str]] = field(default_factory=dict)    # by light, dark and narrow: what axe-core found
    lighter: dict[str, bool] = field(default_factory=dict)        # by light and dark: whether paper is lighter than ink
    alive: int = 0                                                # scripts, pictures, frames, forms
    links: list[str] = field(default_factory=list)
    sheets: list[tuple[int, int]] = field(default_factory=list)   # millimetres of each sheet of paper


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. It is never left out: without it these promises are not proved."""
    assert CHROMIUM, "chromium is not installed (apt-get install chromium)"
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


def listening(page: Page) -> Sight:
    """Hears from now on what a page asks for, but for what its policy stopped, and what the browser says."""
    sight = Sight()
    page.on("request", lambda request: sight.asked.append(request.url))
    page.on("requestfailed", lambda request: sight.asked.remove(request.url) if "csp" in (request.failure or "") else None)
    page.on("console", lambda message: sight.said.append(message.text))
    page.on("dialog", lambda dialog: sight.said.append(f"dialog {dialog.message}"))
    page.on("pageerror", lambda error: sight.said.append(str(error)))
    return sight


def hostile_lines() -> list[str]:
    """Squid's lines with hostile text in whatever a pupil can write: path, host, login, type and method."""
    texts = (SCRIPT, "%3Cscript%3Efetch('/ran')%3C/script%3E", "=cmd|'/C calc'!A1", "\u202egpj.exe", "{{7*7}}", '"onload="x', LONG)
    rows = []
    for n, text in enumerate(texts):
        word, client = re.sub(r"\s", "+", text), f"10.20.0.{9 + n}"
        for k in range(6):
            rows += [line(600 * n + 40 * k, f"http://adult-one.test/{word}", word[:200], client, "TCP_DENIED/403"),
                     line(600 * n + 40 * k + 5, f"http://hideaway.test/{word}", word[:200], client).replace("text/html", word[:60])]
        rows.append(line(600 * n + 300, f"{word[:60]}.test:443", word[:200], client, method="CONNECT"))
    return rows


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up school after a Monday until eleven, with hostile lines, name and reason, and after a night that failed."""
    rules = [path.stem for path in (ROOT / "rules/detect").glob("*.toml")]
    people = (ROOT / "people.csv").read_text("utf-8") + f'"{LONG[:200]}","{SCRIPT} {LONG}",student,9,Heron,,\n'
    folder = make(tmp_path_factory.mktemp("made") / "school", rules, people, lists=True)
    logs, hostile = folder / "logs", folder / f"{SCRIPT.replace('/', '')[:80]}.log"
    subprocess.run([sys.executable, "sample_logs/generate.py", "--to", str(logs), "--day", str(MONDAY)], cwd=ROOT, check=True, timeout=60)
    day = logs / f"access-{MONDAY}.log"
    day.write_text("".join(text for text in day.read_text("utf-8").splitlines(keepends=True) if float(text.split()[0]) < ELEVEN), "utf-8")
    hostile.write_text("".join(hostile_lines()), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        quick(patch)
        rulefiles.keep_seen(folder, {name: text for name, text in rulefiles.texts(folder).items() if name != "people.csv"})
        with (folder / "rules/lists/own.csv").open("a", encoding="utf-8") as own:
            own.write(f'newgame.test,games,"=1+1 {SCRIPT} {LONG}",TSM,2027-07-31\n')
        run(folder, day, hostile)
    failing.tell(folder, date(2026, 11, 4), [Problem("judging", SCRIPT)], [Problem(LONG, WORST, SCRIPT)], "7aa80f30eef8")
    return folder


@pytest.fixture(scope="module")
def pages(made: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One page of each kind that the made-up school has, and each kind with the worst text in every field, by what it is."""
    found = {f"{path.parent.name} {path.stem}": path for path in sorted((made / "reports").rglob("*.html"))}
    folder = tmp_path_factory.mktemp("worst")
    worst = {name: make_page(WORST) for name, make_page in PAGES.items()} | {
        "failed": failed.build(MONDAY, WORST, [Problem(WORST, WORST, WORST)], [Problem(LONG, LONG, LONG)], {WORST: WORST}),
        "long sites": a_night(breaches=[breach(site="x" * 63 + ".example"), breach(ref="B-9", site="a-long-name.of-some-hosting.platform.example")]),
        "index": index.build("technical", WORST, [f"nightly-2026-{month:02}-{day:02}.html" for month in (11, 12) for day in range(1, 29)],
                             ["nightly-2026-12-28.html"], WORST),
        "index of evidence": inspection.build(WORST, WORST, WORST, [inspection.Answer(WORST, WORST, ("checks.html", "policy.txt"))], [WORST],
                                              {WORST: WORST})}
    for name, page in worst.items():
        found[f"worst {name}"] = folder / f"{name}.html"
        found[f"worst {name}"].write_text(render.html(page), "utf-8")
    return found


def test_the_made_up_school_writes_every_kind_of_page(pages: dict[str, Path]) -> None:
    """What follows holds for each: an index for each reader, the four pages, and that of a night that failed."""
    assert {name for name in pages if not name.startswith("worst")} == {
        "technical nightly-2026-11-02", "technical nightly-2026-11-04", "safeguarding dsl-list-2026-11-02", "principal principal-2026-11-02",
        "leadership termly-autumn-2026", "technical changes-autumn-2026", "technical breaches-autumn-2026",
        "technical checks-autumn-2026", "safeguarding checks-autumn-2026",
        *(f"{reader} index" for reader in folders.READERS)}
    text = pages["safeguarding dsl-list-2026-11-02"].read_text("utf-8")
    assert "&lt;script&gt;fetch" in text and "‹U+202E›" in text and "W" * 40 in text
    assert "The night failed" in pages["technical nightly-2026-11-04"].read_text("utf-8")


# What reaches beyond the right edge. What only a reader of the screen hears, and the insides of pictures, do not count.
BEYOND = """() => [...document.querySelectorAll('body, body *')].filter(e => {
  const box = e.getBoundingClientRect();
  return box.width > 1 && box.right > document.documentElement.clientWidth + 1 && !e.closest('.unseen, .skip, thead, svg');
}).concat(document.documentElement.scrollWidth > document.documentElement.clientWidth ? [document.body] : [])
  .map(e => `${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 60)}`).slice(0, 3)"""
ALIVE = "document.scripts.length + document.images.length + document.querySelectorAll('iframe, object, embed, link, form').length"
COLOURS = "(({backgroundColor, color}) => [backgroundColor, color])(getComputedStyle(document.body))"


def seen(browser: Browser, path: Path, paper: bool) -> Sight:
    """One page, opened once: at each width, on paper, in light and in dark."""
    context = browser.new_context(viewport={"width": 768, "height": 900}, color_scheme="light")
    page = context.new_page()
    sight = listening(page)
    page.goto(path.as_uri())
    sight.asked.remove(path.as_uri())
    sight.alive, sight.links = page.evaluate(ALIVE), page.evaluate("[...document.links].map(link => link.getAttribute('href'))")
    _judge(page, sight, "light")
    page.emulate_media(color_scheme="dark")
    _judge(page, sight, "dark", runOnly=["color-contrast"])
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        sight.beyond[str(width)] = page.evaluate(BEYOND)
        if width == WIDTHS[0]:
            _judge(page, sight, "narrow", runOnly=["color-contrast", "scrollable-region-focusable", "td-headers-attr", "list", "dlitem"])
    page.set_viewport_size({"width": PAPER, "height": 900})
    page.emulate_media(media="print")
    sight.beyond["paper"] = page.evaluate(BEYOND)
    if paper:
        boxes = re.findall(rb"/MediaBox\s*\[([\d. ]+)\]", page.pdf(prefer_css_page_size=True))
        sight.sheets = [(round(float(box.split()[2]) * 25.4 / 72), round(float(box.split()[3]) * 25.4 / 72)) for box in boxes]
    context.close()
    return sight


def _judge(page: Page, sight: Sight, how: str, **options: object) -> None:
    """Has axe-core look at the page as it stands, and says whether its paper is lighter than its ink."""
    found = Axe().run(page, options={"resultTypes": ["violations"], **options}).response
    sight.faults[how] = [f"{fault['id']} {[node['target'] for node in fault['nodes']][:3]}" for fault in found["violations"]]
    if how != "narrow":
        paper, ink = (brightness(colour) for colour in page.evaluate(COLOURS))
        sight.lighter[how] = paper > ink


def brightness(colour: str) -> float:
    """How light a colour is, from 0 to 255."""
    red, green, blue = map(float, re.findall(r"[\d.]+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.fixture(scope="module")
def sights(browser: Browser, pages: dict[str, Path]) -> dict[str, Sight]:
    """What was seen of each page."""
    return {name: seen(browser, path, paper=not name.startswith("worst")) for name, path in pages.items()}


def test_no_page_scrolls_sideways_at_any_width_or_on_paper(sights: dict[str, Sight]) -> None:
    """A telephone, a tablet, a desk, and what A4 leaves between its margins; whatever a log holds."""
    assert {(name, width): what for name, sight in sights.items() for width, what in sight.beyond.items() if what} == {}
    assert {tuple(sight.beyond) for sight in sights.values()} == {("360", "768", "1440", "paper")}


def test_no_page_asks_for_anything_or_runs_anything(sights: dict[str, Sight]) -> None:
    """Not a font, not an icon, not what hostile text names: nothing goes to the network, and the browser has nothing to say."""
    for name, sight in sights.items():
        assert (name, sight.asked, sight.said, sight.alive) == (name, [], [], 0)


def test_only_an_index_links_and_only_to_what_stands_beside_it(sights: dict[str, Sight]) -> None:
    """Every other page has links to its own parts alone, and the first leads past its head."""
    for name, sight in sights.items():
        ours = r"#main|[a-z]+[\w-]*\.(html|csv|txt)" if "index" in name else r"#[a-z]+"
        assert sight.links[0] == "#main" and not [link for link in sight.links if not re.fullmatch(ours, link)], name


def test_every_page_prints_to_a4(sights: dict[str, Sight]) -> None:
    """Each sheet of each page that the school has."""
    assert {sheet for sight in sights.values() for sheet in sight.sheets} == {(210, 297)}
    assert all(sight.sheets for name, sight in sights.items() if not name.startswith("worst"))


@pytest.mark.parametrize(("name", "most"), [("annual", 4), ("termly", 6), ("dsl-list", 3)])
def test_a_sample_takes_few_sheets(browser: Browser, name: str, most: int) -> None:
    """Governors are given four at most; what leaders and the DSL carry is kept short, whatever letters a machine has."""
    page = browser.new_page()
    page.goto((ROOT / f"reports/sample/{name}.html").as_uri())
    assert 0 < len(re.findall(rb"/MediaBox", page.pdf(prefer_css_page_size=True))) <= most
    page.close()


def test_axe_finds_no_fault_in_any_page_and_dark_is_dark(sights: dict[str, Sight]) -> None:
    """All the rules of axe-core in light; those of contrast again in dark, and of structure where tables are laid as lists."""
    assert {(name, how): faults for name, sight in sights.items() for how, faults in sight.faults.items() if faults} == {}
    assert {tuple(sight.lighter.items()) for sight in sights.values()} == {(("light", True), ("dark", False))}


ATTACK = """<script>window.ran = 1; fetch('/asked')</script><img src="/picture" onerror="window.ran = 1">
<style>h1 { color: rgb(1, 2, 3) }</style><p id="p" style="color: rgb(1, 2, 3)">x</p><link rel="stylesheet" href="/style">
<iframe src="/frame"></iframe><form action="/form"></form>"""


def test_the_policy_of_a_page_holds_even_where_a_text_were_not_escaped(browser: Browser, tmp_path: Path) -> None:
    """Script, picture, frame, style and form that somehow stood in a page: nothing runs, is fetched, restyled or sent."""
    page = render.html(a_night()).replace("</main>", f"{ATTACK}</main>")
    pages = {"held": page, "open": re.sub(r"<meta http-equiv.*?>", "", page)}
    told = {}
    for name, text in pages.items():
        path = tmp_path / f"{name}.html"
        path.write_text(text, "utf-8")
        tab = browser.new_page()
        sight = listening(tab)
        tab.goto(path.as_uri())
        ran = tab.evaluate("window.ran === 1")
        colours = tab.evaluate("['h1', '#p'].map(what => getComputedStyle(document.querySelector(what) ?? document.body).color)")
        tab.evaluate("document.forms[0].submit()")
        tab.wait_for_timeout(300)
        told[name] = (len(sight.asked) > 1, ran, "rgb(1, 2, 3)" in colours, tab.url == path.as_uri())
        tab.close()
    assert told["held"] == (False, False, False, True)
    assert told["open"][:2] == (True, True), "without the policy it would have run, and been seen"


def test_no_table_holds_a_formula_or_an_unseen_character(made: Path) -> None:
    """Every CSV that a night writes, read back: cells keep their text, begin no formula, and hide nothing."""
    tables = sorted((made / "reports").rglob("*.csv"))
    assert {"breaches.csv", "changes.csv", f"return-{MONDAY}.csv", f"nightly-{MONDAY}.failures.csv"} <= {path.name for path in tables}
    for path in tables:
        rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))
        assert len({len(row) for row in rows}) == 1, path
        cells = [cell for row in rows[1:] for cell in row]
        assert not [cell for cell in cells if cell.lstrip(" \u00a0\ufeff").startswith(FORMULAS)], path
        assert not [cell for cell in cells if re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]", cell)], path
    changes = (made / "reports/technical/changes.csv").read_text("utf-8")
    assert "newgame.test" in changes and "fetch" in changes

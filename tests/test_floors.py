"""The module map: a module imports lower floors only, and only the edges open files."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "pipeline"
FLOORS = (
    {"chain", "coded", "daylines", "keyboard", "problems", "schoolday", "sql", "suggestions", "tables", "version"},
    {"formats", "groups", "hosts", "periods", "signals", "words"},
    {"addressbook", "engines", "excepted", "knownlogs", "listformats", "lists", "ownlist", "policy", "rulebook", "school", "terms",
     "vendors"},
    {"disclosure", "intent", "precision", "privacy", "register"},
    {"addresses", "answers", "behaviour", "bursts", "calling", "changes", "checking", "classify", "company", "coverage", "dayminutes",
     "detect", "habits", "heard", "incidents", "inferred", "ingest", "learned", "led", "listaddresses", "minutes", "onename",
     "repeats", "searches", "spreading", "stays", "tunnels", "turned", "uncategorised", "visits"},
    {"pages"},
    {"archives", "durable", "folders", "inbox", "journal", "kept", "lake", "linefiles", "listfetch", "listsource", "liststore", "logfiles",
     "mail", "proving", "render", "rulefiles", "runs", "sealed", "textfiles", "vault", "zipping"},
    {"account", "failing", "goodrules", "history", "inferring", "issuing", "judging", "missed", "parsing", "posting",
     "progress", "publishing", "reading", "registers", "ruleset", "schedule", "schoolfolder", "sheets", "silence",
     "unlisted"},
    {"__main__", "approving", "asking", "casework", "cli", "correcting", "deciding", "evidence", "exporting", "handbook",
     "inspecting", "listing", "logbooks", "mailing", "night", "owning", "purging", "readout", "returning", "ruling",
     "sealing", "status", "telling", "trial", "trying", "verbs", "verifying"},
)
# Neighbours of one floor: who may import whom.
NEIGHBOURS = {
    "__main__": {"cli"},
    "account": {"reading"},
    "addresses": {"visits"},
    "answers": {"detect"},
    "approving": {"casework"},
    "behaviour": {"onename", "tunnels"},
    "casework": {"correcting"},
    "cli": {"deciding", "night", "purging", "readout", "returning", "verbs", "verifying"},
    "coverage": {"heard"},
    "daylines": {"coded", "tables"},
    "dayminutes": {"heard", "minutes"},
    "deciding": {"casework"},
    "detect": {"classify"},
    "evidence": {"casework", "logbooks", "telling"},
    "excepted": {"rulebook"},
    "exporting": {"approving"},
    "failing": {"publishing"},
    "folders": {"textfiles"},
    "formats": {"groups"},
    "goodrules": {"account", "ruleset"},
    "handbook": {"cli"},
    "history": {"ruleset"},
    "inbox": {"textfiles"},
    "incidents": {"detect"},
    "inferred": {"changes"},
    "inferring": {"judging", "registers", "ruleset"},
    "inspecting": {"casework"},
    "issuing": {"account", "goodrules", "publishing", "registers", "ruleset", "schoolfolder"},
    "journal": {"durable"},
    "judging": {"ruleset"},
    "kept": {"durable", "journal"},
    "lake": {"durable", "journal", "linefiles"},
    "listaddresses": {"visits"},
    "listsource": {"archives"},
    "liststore": {"durable"},
    "logbooks": {"casework"},
    "logfiles": {"archives"},
    "missed": {"schedule"},
    "ownlist": {"lists"},
    "precision": {"register"},
    "proving": {"journal", "kept"},
    "publishing": {"judging", "registers", "ruleset", "unlisted"},
    "reading": {"parsing"},
    "returning": {"casework"},
    "rulefiles": {"textfiles"},
    "runs": {"textfiles"},
    "schoolfolder": {"registers", "ruleset"},
    "sealed": {"durable"},
    "sealing": {"casework"},
    "searches": {"visits"},
    "sheets": {"publishing"},
    "silence": {"judging"},
    "spreading": {"behaviour", "onename"},
    "telling": {"casework"},
    "terms": {"lists"},
    "trying": {"readout"},
    "turned": {"changes", "inferred"},
    "unlisted": {"judging", "ruleset"},
    "vault": {"durable"},
    "vendors": {"lists"},
    "verbs": {"approving", "asking", "casework", "deciding", "evidence", "exporting", "inspecting", "listing", "logbooks",
              "mailing", "owning", "readout", "returning", "ruling", "sealing", "status", "telling", "trial", "trying"},
    "verifying": {"asking", "sealing"},
    "visits": {"bursts", "company", "dayminutes", "heard", "minutes", "stays"},
    "textfiles": {"durable"},
    "zipping": {"durable", "textfiles"},
}
WITHIN = {(me, other) for me, others in NEIGHBOURS.items() for other in others}
OPENERS = {"open", "read_text", "write_text", "read_bytes", "write_bytes", "unlink", "rename", "mkdir"}
MODULES = sorted(ROOT.rglob("*.py"))


EDGES = FLOORS[6]


def floor(module: str) -> int:
    """Number of the module's floor."""
    found = [number for number, names in enumerate(FLOORS) if module in names]
    assert len(found) == 1, f"{module} stands on {len(found)} floors of the map: give it one"
    return found[0]


def imported(tree: ast.AST) -> set[str]:
    """First part below `pipeline` of everything a module imports, inside functions too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pipeline":
            parts = (node.module or "").split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("pipeline.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_module_imports_lower_floors_only(path: Path) -> None:
    """An arrow upward, or between two of one floor that are not named neighbours, is a loop to come."""
    me = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if me == "__init__":
        return
    upward = {other for other in imported(ast.parse(path.read_text("utf-8"))) - {me}
              if floor(other) >= floor(me) and (me, other) not in WITHIN}
    assert not upward


def names_of(path: Path) -> tuple[str, set[str]]:
    """A module's whole name, and the whole names of what it imports of this program, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pipeline":
            found |= {whole if (whole := f"{node.module}.{alias.name}") in WHOLE else node.module for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return whole_name(path), found & WHOLE


def whole_name(path: Path) -> str:
    """`pipeline.formats.lines` of pipeline/formats/lines.py."""
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


WHOLE = {whole_name(path) for path in MODULES}


def test_no_modules_import_each_other_in_a_ring() -> None:
    """Not inside a package either, where there are no floors: each module can be read after those that it imports."""
    order = list(TopologicalSorter(dict(map(names_of, MODULES))).static_order())
    assert set(order) == WHOLE


def called(function: ast.expr, ours: set[str]) -> str:
    """Name of what is called; empty for a function of this program, which is held where it is written."""
    if isinstance(function, ast.Attribute):
        edge = isinstance(function.value, ast.Name) and function.value.id in EDGES & ours
        return "" if edge else function.attr
    name = getattr(function, "id", "")
    return "" if name in ours else name


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_only_the_edges_open_files(path: Path) -> None:
    """Steps and rules take tables and text; package resources are read through importlib."""
    me = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if me in EDGES or me in {"formats", "__init__"}:
        return
    tree = ast.parse(path.read_text("utf-8"))
    ours = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith("pipeline") for alias in node.names}
    assert not {called(node.func, ours) for node in ast.walk(tree) if isinstance(node, ast.Call)} & OPENERS


@pytest.mark.parametrize("edge", sorted(EDGES))
def test_an_edge_knows_only_words(edge: str) -> None:
    """What opens files decides nothing, so it imports the words of floor 0; only `render` knows the pages it lays out,
    `lake` how a log is known again, which it keeps with the log's entry, `archives` what a database's rows are read with, and
    `logfiles` how an array is read as lines."""
    path = ROOT / f"{edge}.py"
    if not path.exists():
        pytest.skip(f"{edge}.py is not written yet")
    others = {other for other in imported(ast.parse(path.read_text("utf-8"))) if (edge, other) not in WITHIN}
    assert others <= FLOORS[0] | {"render": {"pages"}, "lake": {"knownlogs"}, "archives": {"formats"}, "logfiles": {"formats"}}.get(edge, set())

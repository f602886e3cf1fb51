"""The figures as tables for people, and as JSON for programs."""

from __future__ import annotations

from typing import Any

from .innocent import KEY_KINDS
from .scores import Score


def _share(part: float | None, places: int = 2) -> str:
    return "-" if part is None else f"{part:.{places}f}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def table(ours: Score, naive: Score, title: str) -> str:
    """One visibility's figures beside the naive comparator's."""
    rows = [title, "",
            f"{'':34}{'schoolgate':^46}{'host on a list':^25}",
            f"{'category':34}{'true':>6}{'found':>7}{'false':>7}{'prec.':>8}{'recall':>8}{'F1':>8}{'prec.':>11}{'recall':>8}{'F1':>7}"]
    for category in sorted(set(ours.tallies) | {name for name, tally in naive.tallies.items() if tally.true}):
        one, two = ours.tallies[category], naive.tallies[category]
        rows.append(f"{category:34}{one.true:>6}{one.found:>7}{one.false:>7}{_share(one.precision):>8}{_share(one.recall):>8}"
                    f"{_share(one.f1 if one.true else None):>8}{_share(two.precision):>11}{_share(two.recall):>8}"
                    f"{_share(two.f1 if two.true else None):>7}")
    total = [sum(getattr(tally, name) for tally in ours.tallies.values()) for name in ("true", "found", "false")]
    rows += [f"{'all':34}{total[0]:>6}{total[1]:>7}{total[2]:>7}", "",
             f"macro F1               {ours.macro_f1:.3f}   (host on a list: {naive.macro_f1:.3f})",
             *(f"{name + ' agrees':22} {_percent(ours.agreed[name], ours.said[name])} of {ours.said[name]} found acts"
               for name in ("intent", "outcome", "rows", "route")), "",
             f"{'innocents':34}{'acts':>6}{'named':>7}{'by list':>9}"]
    for kind in sorted(ours.innocents, key=lambda kind: (kind not in KEY_KINDS, kind)):
        rows.append(f"{kind + (' (never)' if kind in KEY_KINDS else ''):34}{ours.innocents[kind]:>6}{ours.wronged[kind]:>7}"
                    f"{naive.wronged[kind]:>9}")
    rows += [f"{'ordinary traffic':34}{'':>6}{ours.ordinary:>7}{naive.ordinary:>9}", "", *_blocked(ours, naive),
             f"filter failures        {ours.failures[1]} of {ours.failures[0]} planted ones in the breach log"]
    return "\n".join(rows)


def _blocked(ours: Score, naive: Score) -> list[str]:
    def off(score: Score, which: str) -> str:
        hits = score.blocked[f"{which}hits"]
        return _percent(hits - score.blocked[f"{which}listed"], hits)

    def line(name: str, which: str) -> str:
        return (f"{name:22} {ours.blocked[f'{which}hits']:,}, of which {off(ours, which)} stay off the DSL list "
                f"(host on a list: {off(naive, which)})")
    return [line("blocked hits", ""), line("of them nobody's act", "idle ")]


def figures(score: Score) -> dict[str, Any]:
    """The same as plain values."""
    return {"macro_f1": round(score.macro_f1, 4),
            "categories": {name: {"true": t.true, "found": t.found, "right": t.right, "false": t.false, "precision": t.precision,
                                  "recall": t.recall, "f1": t.f1} for name, t in sorted(score.tallies.items())},
            "agrees": {name: [score.agreed[name], score.said[name]] for name in sorted(score.said)},
            "innocents": {kind: [score.wronged[kind], count] for kind, count in sorted(score.innocents.items())},
            "ordinary": score.ordinary, "blocked": dict(score.blocked), "failures": list(score.failures),
            "missed": [f"{label.day} {label.kind}" for label in score.missed],
            "wrong": [f"{one.day} {one.category} {one.route}" for one in score.false]}

"""Static charts: SVG without script or outside resource, told apart in greyscale by shape and dash as well as by tone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.pages.termly import Week


def weeks_svg(weeks: Sequence[Week]) -> str:
    """Visits by week, blocked and let through against the policy; a withheld week is a gap. Altair is loaded only here."""
    import altair as alt  # noqa: PLC0415  (slow to load, and only this page draws)
    import pandas as pd  # noqa: PLC0415
    import vl_convert  # noqa: PLC0415

    kinds = ("Blocked", "Let through against the policy")
    rows = [{"week": f"{week.begins.day} {week.begins:%b}", "at": at, "visits": count.value, "kind": kind}
            for at, week in enumerate(weeks) for kind, count in zip(kinds, (week.blocked, week.against), strict=True)
            if count.value is not None]
    order = [f"{week.begins.day} {week.begins:%b}" for week in weeks]
    line = alt.Chart(pd.DataFrame(rows)).mark_line(point={"size": 55, "filled": True}, strokeWidth=2).encode(
        x=alt.X("week:N", sort=order, scale=alt.Scale(domain=order), title="Week beginning", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("visits:Q", title="Visits", axis=alt.Axis(tickCount=5, format=",d")),
        color=alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=["#111111", "#767676"]),
                        legend=alt.Legend(orient="top", title=None)),
        strokeDash=alt.StrokeDash("kind:N", scale=alt.Scale(domain=kinds, range=[[1, 0], [6, 4]]), legend=None),
        shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=["circle", "square"])))
    chart = line.properties(width=580, height=220).configure(font="sans-serif", background="white").configure_view(stroke=None) \
        .configure_axis(labelFontSize=12, titleFontSize=12, titleFontWeight="normal", gridColor="#dddddd") \
        .configure_legend(labelFontSize=12)
    return _inline(vl_convert.vegalite_to_svg(chart.to_dict()))


def _inline(svg: str) -> str:
    """The picture to stand inside a page: no namespace addresses, no scripts, hidden from readers who have the table."""
    bare = re.sub(r'\sxmlns(?::\w+)?="[^"]*"', "", svg)
    bare = re.sub(r'(<svg\b[^>]*?)\swidth="[^"]*"\sheight="[^"]*"', r"\1", bare, count=1)
    bare = re.sub(r'\s(?:role|aria-[\w]+|style|tabindex)="[^"]*"', "", bare)
    return bare.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)

"""The counts of leaders' and governors' pages, by period: from the registers, and from the tallies, which outlive the visits.

Pupils only, and nothing of welfare, of the illegal-content list or of staff. What leaves here as a count of people or of their
incidents has been allowed by the ledger; what does not can be told from nobody: sites, methods, changes, days.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow.compute as pc

from pipeline import periods
from pipeline.disclosure import Ledger
from pipeline.pages.heat import Heat, Line
from pipeline.pages.parts import Count, Plain, Service, Site, counted, shown
from pipeline.pages.termfigures import Week
from pipeline.periods import Period
from pipeline.publishing.desk import Desk
from pipeline.publishing.technical import breach_rows
from pipeline.register import IncidentState
from pipeline.schoolday import is_open
from pipeline.sql import aside, run
from pipeline.tables import TALLIES, VISITS

LATE = 10               # school days after which an open incident is late: domain's "open over 10 days"
TOP = 10                # sites of a block: what one meeting can talk about
HISTORY = 5             # school days that must be kept before a site can be called new
STEPS = ((1, "within 1"), (2, "2"), (5, "3 to 5"), (10, "6 to 10"))           # school days: the clocks of the policy's overlay
HOURS = ((1, "within 1"), (24, "up to 24"), (72, "1 to 3 days"), (168, "3 to 7 days"))
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
MEASURES = "^(pupils against|visits by|blocked by)"
UNNAMED = ("T0", "T1")  # tiers of which no page for leaders names a site or counts a visit
SEALED = "sealed"
STATES = ("suspected", "confirmed", "accidental_reported", "dismissed")
SILENT = ("help_seeking", "background", "filter_check")

BLOCKED = """
SELECT site, category, count(DISTINCT subject) AS people FROM visits
WHERE category = 'learning' AND blocked > 0 AND day::DATE >= $first
GROUP BY ALL HAVING people >= $small ORDER BY people DESC, site LIMIT $top
"""
FRESH = """
WITH seen AS (
    SELECT site, min(day::DATE) AS first FROM visits GROUP BY site
)
SELECT v.site, mode(v.category) AS category, count(DISTINCT v.subject) AS people
FROM visits v JOIN seen s USING (site)
WHERE s.first >= $since AND v.site NOT IN (SELECT site FROM visits WHERE category IN (SELECT unnest($unnamed)))
GROUP BY v.site HAVING people >= $small ORDER BY people DESC, v.site LIMIT $top
"""


@dataclass(frozen=True)
class Numbers:
    """The five numbers of a period; None: nothing to tell, or withheld (`pupils`, `late`)."""

    pupils: int | None
    triage: float | None
    late: int | None
    failures: int
    fix: float | None
    worked: int


class Figures:
    """The figures of one period, in the making of one page."""

    def __init__(self, desk: Desk, period: Period, ledger: Ledger) -> None:
        self.desk, self.period, self.ledger = desk, period, ledger
        self.days = desk.judged(period)
        self.until = max(self.days, default=period.last)
        self.small = desk.rules.school.small_number
        self._tallies: list[dict[str, Any]] | None = None

    # --- incidents, from the register -------------------------------------------------------------------------

    def states(self) -> list[IncidentState]:
        """Pupils' incidents of the period that somebody should read, or has."""
        first, last = str(self.period.first), str(self.period.last)
        return [s for s in self.desk.registers.incidents().values()
                if first <= s.day <= last and (s.detected or s.touched) and s.summary["actor"] == "student"
                and s.summary["route"] == "student"]

    def numbers(self) -> Numbers:
        """The five numbers."""
        states = self.states()
        confirmed = {s.summary["subject"] for s in states if s.verdict == "confirmed"}
        late = [s for s in states if s.waiting and s.detected and self._age(s, self.until) > LATE]
        breaches = self.breaches()
        failures = [row for row in breaches if row["part"] == "failure"]
        rounds = [row for row in breaches if row["part"] != "failure"]
        return Numbers(self._count("pupils with a confirmed incident", len(confirmed), len(confirmed)),
                       self._median_days(states), self._incidents("open over ten days", late), len(failures),
                       median(hours_of(row) for row in failures),
                       len({row["method"] for row in rounds if row["worked"] != "no"}))

    def by_row(self, states: Sequence[str] = STATES) -> dict[tuple[str, str], Count]:
        """Incidents by row of table 7.2 and state."""
        found: dict[tuple[str, str], list[IncidentState]] = defaultdict(list)
        for state in self.states():
            for row in state.rows or state.summary.get("rows", ()):
                found[row, state.verdict or "suspected"].append(state)
        return {(row, state): counted(state, self._incidents(f"{row} {state}", found[row, state]))
                for row in self.desk.rules.policy.sanctions for state in states}

    def repeats(self) -> Count:
        """Pupils with incidents confirmed on two days or more."""
        days: dict[str, set[str]] = defaultdict(set)
        for state in self.states():
            if state.verdict == "confirmed":
                days[state.summary["subject"]].add(state.day)
        many = sum(len(of) > 1 for of in days.values())
        return counted("Pupils with incidents confirmed on two days or more", self._count("repeats", many, many))

    def triage(self) -> tuple[Count, ...]:
        """Incidents by how many school days it took to decide them; those late and still open last."""
        decided = [(self._age(s, self.desk.date(s.decided_at)), s) for s in self.states() if s.decided_at]
        bins = [(f"{label}", [s for age, s in decided if low < age <= high])
                for (low, _), (high, label) in zip(((-1, ""), *STEPS), STEPS, strict=False)]
        bins.append((f"over {STEPS[-1][0]}", [s for age, s in decided if age > STEPS[-1][0]]))
        bins.append(("not decided yet", [s for s in self.states() if s.waiting]))
        return tuple(counted(label, self._incidents(f"decided: {label}", states)) for label, states in bins)

    def _age(self, state: IncidentState, until: date) -> int:
        """School days from the day of an incident to a day."""
        calendar, day = self.desk.rules.school.calendar, date.fromisoformat(state.day)
        return sum(is_open(calendar, day + timedelta(days=n)) for n in range(1, (until - day).days + 1))

    def _median_days(self, states: Sequence[IncidentState]) -> float | None:
        decided = [s for s in states if s.decided_at]
        if len({s.summary["subject"] for s in decided}) < self.small:
            return None
        return median(float(self._age(s, self.desk.date(s.decided_at))) for s in decided)

    def _incidents(self, series: str, states: Sequence[IncidentState]) -> int | None:
        return self._count(series, len(states), len({s.summary["subject"] for s in states}))

    def _count(self, series: str, value: int, people: int) -> int | None:
        return self.ledger.count(series, self.period.first, self.until, value, people)

    # --- breaches, from the register --------------------------------------------------------------------------

    def breaches(self) -> list[dict[str, Any]]:
        """The breaches seen on any of these days."""
        wanted = {str(day) for day in self.days}
        rows = breach_rows(self.desk, self.until)  # what was sealed is for the DSL and the Principal
        return [row for row in rows if wanted.intersection(row["days"]) and row["site"] != SEALED]

    def fixes(self) -> tuple[Count, ...]:
        """What got through, by how long it took until it was blocked. These are sites, not people, so they stand as they are."""
        took = [hours_of(row) for row in self.breaches() if row["worked"] != "no"]
        known = [value for value in took if value is not None]
        bins = [(label, sum(low < value <= high for value in known))
                for (low, _), (high, label) in zip(((-1, ""), *HOURS), HOURS, strict=False)]
        bins += [("over 7 days", sum(value > HOURS[-1][0] for value in known)), ("not blocked yet", len(took) - len(known))]
        return tuple(shown(label, count, self.small) for label, count in bins)

    # --- tallies ----------------------------------------------------------------------------------------------

    def tallies(self, measure: str) -> list[dict[str, Any]]:
        """The tallies of one measure over the period."""
        if self._tallies is None:
            table = self.desk.lake.table(TALLIES, self.days)
            self._tallies = table.filter(pc.match_substring_regex(table["measure"], MEASURES)).to_pylist()
        return [row for row in self._tallies if row["measure"] == measure]

    def times(self) -> Heat:
        """Pupils with a visit against the policy by part of the day and weekday, on the busiest such day."""
        most: Counter[tuple[str, int]] = Counter()
        for row in self.tallies("pupils against by period"):
            key = row["of"], row["day"].weekday()
            most[key] = max(most[key], row["people"])
        rows = [band.period for band in self.desk.rules.school.calendar.bands if not band.years]
        rows += sorted({of for of, _ in most} - set(rows))
        return Heat(Plain("Pupils with a visit against the policy by part of the day and weekday, on the busiest such day"),
                    Plain("Part of the day"), tuple(map(Plain, WEEKDAYS)),
                    tuple(self._line(row, [most[row, day] for day in range(len(WEEKDAYS))]) for row in dict.fromkeys(rows)
                          if any(most[row, day] for day in range(len(WEEKDAYS)))))

    def years(self) -> tuple[Heat, tuple[tuple[Plain, Plain], ...]]:
        """Pupils by year group and category on the busiest day, and the two leading themes of each year group."""
        most: Counter[tuple[str, str]] = Counter()
        for row in self.tallies("pupils against by year and category"):
            year, _, category = row["of"].partition("|")
            most[year, category] = max(most[year, category], row["people"])
        known = self.desk.rules.policy.categories
        widest = Counter({category: max(count for (_, c), count in most.items() if c == category) for _, category in most})
        columns = [category for category, count in widest.most_common(6) if count >= self.small]
        years = self.desk.rules.school.years
        title = {category: known[category].title if category in known else category.replace("_", " ") for category in widest}
        heat = Heat(Plain("Pupils with a visit against the policy by year group and theme, on the busiest day"),
                    Plain("Year group"), tuple(Plain(title[category]) for category in columns),
                    tuple(self._line(f"Year {year}", [most[year, category] for category in columns]) for year in years)
                    if columns else ())
        return heat, tuple((Plain(f"Year {year}"), Plain(self._themes(year, most, title))) for year in years)

    def _themes(self, year: str, most: Counter[tuple[str, str]], title: dict[str, str]) -> str:
        found = sorted(((count, category) for (of, category), count in most.items() if of == year and count >= self.small),
                       key=lambda pair: (-pair[0], pair[1]))
        return " and ".join(title[category].lower() for _, category in found[:2]) or "–"

    def _most(self, label: str, people: int) -> Count:
        return shown(label, self.ledger.most(people), self.small)

    def _line(self, label: str, most: Sequence[int]) -> Line:
        return Line(Plain(label), tuple(self._most("", people) for people in most))

    def networks(self) -> tuple[Count, ...]:
        """Pupils with a visit against the policy by network, on the busiest day."""
        most: Counter[str] = Counter()
        for row in self.tallies("pupils against by network"):
            most[row["of"]] = max(most[row["of"]], row["people"])
        return tuple(self._most(of or "no network of the school", people) for of, people in sorted(most.items()))

    def quiet_networks(self) -> tuple[Plain, ...]:
        """Networks of school.toml on which no visit was seen."""
        seen = {row["of"] for row in self.tallies("visits by network")}
        return tuple(Plain(network.name) for network in self.desk.rules.school.networks if seen and network.name not in seen)

    def weeks(self) -> tuple[Week, ...]:
        """Pupils' visits against the policy by whole week. A week of few pupils on every day of it is withheld."""
        found: dict[tuple[date, bool], list[tuple[int, int]]] = defaultdict(list)
        for row in self.tallies("pupils against by outcome"):
            found[periods.week(row["day"]).first, row["of"] == "blocked"].append((row["count"], row["people"]))
        whole = [week for week in {periods.week(day).first: periods.week(day) for day in self.days}.values()
                 if (periods.last_open(week, self.desk.rules.school.calendar) or week.last) <= self.until]
        return tuple(Week(week.first, self._week(week, "blocked", found[week.first, True]),
                          self._week(week, "let through", found[week.first, False])) for week in whole)

    def _week(self, week: Period, name: str, days: Sequence[tuple[int, int]]) -> Count:
        people = max((people for _, people in days), default=0)
        value = self.ledger.count(f"visits {name}", week.first, week.last, sum(count for count, _ in days), people)
        return counted(name, value)

    def questions(self) -> dict[str, int]:
        """Visits that each question of the policy touched."""
        touched: Counter[str] = Counter()
        for row in self.tallies("visits by question"):
            touched[row["of"]] += row["count"]
        return touched

    def touched(self, question: str, visits: int) -> Count:
        """Visits that one question touched, as it may stand."""
        return counted("", self._count(f"{question} visits", visits, visits))

    def blocked_learning(self) -> Count:
        """Requests for learning sites that the filter blocked, where enough people made them."""
        rows = [row for row in self.tallies("blocked by category") if row["of"] == "learning"]
        people = max((row["people"] for row in rows), default=0)
        return counted("", self._count("learning blocked", sum(row["count"] for row in rows), people))

    def leading(self) -> tuple[Count, ...]:
        """Themes over all year groups: pupils with a visit against the policy, on the busiest day."""
        most: Counter[str] = Counter()
        for row in self.tallies("pupils against by category"):
            most[row["of"]] = max(most[row["of"]], row["people"])
        known = self.desk.rules.policy.categories
        return tuple(self._most(known[of].title if of in known else of, people) for of, people in most.most_common(TOP)
                     if people >= self.small)

    def help_blocked(self) -> int:
        """Days on which the filter blocked a site of help and support; never which."""
        return len({row["day"] for row in self.tallies("blocked by category") if row["of"] == "help_seeking"})

    # --- sites, from the visits while they are kept ----------------------------------------------------------------

    def sites(self) -> tuple[tuple[Service, ...], tuple[Service, ...], date | None]:
        """Learning sites that the filter blocked, services first seen in the period, and since when a service counts as new."""
        con = aside()
        kept = self.desk.lake.over(con, VISITS, [day for day in self.desk.lake.judged() if day <= self.until])
        limits = {"small": self.small, "top": TOP}
        blocked = run(BLOCKED, limits | {"first": self.period.first}, con=con).to_pylist()
        since = _new_since(kept, self.period.first)
        unnamed = [name for name, of in self.desk.rules.policy.categories.items() if of.tier in UNNAMED or of.help_seeking]
        fresh = run(FRESH, limits | {"since": since, "unnamed": [*unnamed, *SILENT]}, con=con).to_pylist() if since else []
        con.close()
        return tuple(map(self._service, blocked)), tuple(map(self._service, fresh)), since

    def _service(self, row: dict[str, Any]) -> Service:
        known = self.desk.rules.policy.categories
        what = known[row["category"]].title if row["category"] in known else row["category"]
        return Service(Site(row["site"]), Plain(what), row["people"], self.small)


def _new_since(kept: Sequence[date], first: date) -> date | None:
    """The first day on which a site can be called new: of the period, and with days enough kept before it."""
    return max(first, kept[HISTORY]) if len(kept) > HISTORY else None


def hours_of(row: dict[str, Any]) -> float | None:
    """Hours from the first sighting of a breach to its first block; None where it was never blocked, or never worked."""
    if row["first_blocked"] is None or row["first_seen"] is None or row["worked"] == "no":
        return None
    took: timedelta = row["first_blocked"] - row["first_seen"]
    return took.total_seconds() / 3600


def median(values: Iterable[float | None]) -> float | None:
    """The median of what is known; None of nothing."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None

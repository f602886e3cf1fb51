"""A stay in which everything came through one name, as it does through a proxy, where a log shows host names alone.

An ordinary page brings along what other hosts hold: pictures, scripts, adverts, letters to draw it with. Through a proxy they all
come under the proxy's own name, so beside a long stay of many bytes the device asks for next to nothing. A set of films or a call
looks the same, so this is never enough by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from pipeline.sql import run

# The first half minute may hold what the stay was come to from; `beside`: a device's own telemetry goes on.
ALONE = """
WITH stays AS (
    SELECT *, epoch_us(started) AS since, epoch_us(ended) AS until FROM visits
    WHERE category = 'uncategorised' AND tunnels > 0 AND allowed > 0 AND background <= $beside
      AND ((slots >= $slots AND bytes_in >= $bytes) OR longest_ms >= $minutes * 60000)
)
SELECT s.visit FROM stays s LEFT JOIN visits o ON o.client = s.client AND o.site <> s.site
   AND epoch_us(o.started) <= s.until AND epoch_us(o.ended) > s.since + 30000000
GROUP BY s.visit HAVING coalesce(sum(o.requests + o.background), 0) <= $beside ORDER BY s.visit
"""


def alone(visits: pa.Table, numbers: Mapping[str, int]) -> list[str]:
    """The VISITS to hosts on no list in which everything came through one name; numbers of `rules/addresses.toml`."""
    found = run(ALONE, {"beside": numbers["beside_requests"], "slots": numbers["stay_slots"],
                        "bytes": numbers["stay_megabytes"] * 1_000_000, "minutes": numbers["tunnel_minutes"]}, visits=visits)
    keys: list[str] = found["visit"].to_pylist()
    return keys

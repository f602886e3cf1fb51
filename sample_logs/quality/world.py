"""The sites of a made-up world: what each is, whether the lists and the filter know it, what its pages bring along."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .names import Namer, dice

# The share of bad and of background sites that the school's lists hold, and of bad ones that its filter knows. A list is
# never whole: schools that compared found a tenth to a half of new sites missing, so the three steps span that.
COVER = {"easy": (1.0, 1.0, 1.0), "medium": (0.85, 0.9, 0.9), "hard": (0.6, 0.75, 0.7)}  # bad, background, known to the filter

# How many invented sites of each category there are. `plain` is what no list speaks of.
BAD = {"pornography": 20, "gambling": 14, "social_media": 10, "games": 24, "video_streaming": 10, "messaging": 8, "shopping": 10,
       "bypass_web_proxy": 20, "bypass_vpn_tunnel": 12, "bypass_vpn_site_visit": 8, "bypass_tor": 6,
       "bypass_mirror_or_remote_desktop": 14, "copyright_p2p": 8, "copyright_streaming": 10, "file_sharing": 10,
       "self_harm_suicide": 8, "eating_disorder": 8, "extremism_interest": 8, "stranger_chat_dating": 8, "ai_companion": 6,
       "ai_nudify": 6, "drugs": 8, "weapons": 8, "hate_discrimination": 8, "violence_gore": 8, "malware_c2_phishing": 14,
       "gambling_like_gaming": 6}
GOOD = {"learning": 48, "help_seeking": 10, "news": 12, "plain": 700}
SIDE = {"advert": 26, "tracker": 22, "cdn": 30, "telemetry": 14}

# Well-known names that stand on the bundled lists; a real school's log is full of them.
KNOWN = {"social_media": ("www.instagram.com", "www.tiktok.com", "www.snapchat.com", "www.reddit.com"),
         "video_streaming": ("www.youtube.com", "www.twitch.tv", "www.netflix.com"),
         "games": ("www.roblox.com", "poki.com", "www.crazygames.com"), "messaging": ("web.whatsapp.com", "discord.com"),
         "shopping": ("www.vinted.co.uk", "www.amazon.co.uk"), "gambling": ("www.skybet.com", "www.paddypower.com"),
         "bypass_vpn_tunnel": ("api.protonvpn.ch", "api.windscribe.com", "api.surfshark.com"),
         "bypass_vpn_site_visit": ("www.expressvpn.com", "www.nordvpn.com"),
         "bypass_web_proxy": ("www.croxyproxy.com", "www.kproxy.com"),
         "bypass_tor": ("dist.torproject.org", "snowflake-broker.torproject.net"),
         "bypass_mirror_or_remote_desktop": ("remotedesktop.google.com", "relay.net.anydesk.com"),
         "copyright_p2p": ("1337x.to", "www.limetorrents.lol"), "file_sharing": ("wetransfer.com", "gofile.io"),
         "stranger_chat_dating": ("ome.tv", "chathub.cam"), "ai_companion": ("character.ai",),
         "learning": ("classroom.google.com", "docs.google.com", "en.wikipedia.org", "www.bbc.co.uk", "quizlet.com", "kahoot.it"),
         "help_seeking": ("www.childline.org.uk", "www.youngminds.org.uk", "www.samaritans.org")}
BLOCKED = frozenset(BAD) - {"social_media", "video_streaming", "messaging", "shopping", "file_sharing"}
LESSON_ONLY = frozenset({"games"})     # blocked in lessons, open in the pauses
# What the filter keeps from staff too; the rest it lets them have.
FROM_STAFF = frozenset({"pornography", "gambling", "bypass_web_proxy", "bypass_vpn_tunnel", "bypass_tor", "copyright_p2p",
                        "malware_c2_phishing", "hate_discrimination", "violence_gore", "copyright_streaming", "ai_nudify"})
PORTAL, MAIL, REMOTE = "portal.wharfside.test", "mail.wharfside.test", "remote.wharfside.test"
SEARCH = ("www.google.com", "www.google.com", "www.bing.com")


@dataclass
class Site:
    """One site of the world."""

    host: str
    kind: str
    listed: bool = False
    known: bool = False                     # the filter knows what it is
    brings: tuple[str, ...] = ()            # hosts whose adverts, trackers and scripts its pages bring along
    own: tuple[str, ...] = ()               # hosts of its own beside the first

    @property
    def base(self) -> str:
        """The last two labels: what a list would hold."""
        return ".".join(self.host.split(".")[-2:])


@dataclass
class World:
    """Every site, by kind."""

    seed: int
    difficulty: str
    namer: Namer                            # gives hosts that nobody has seen before, by the grammar of all hosts
    sites: dict[str, list[Site]] = field(default_factory=dict)

    def entries(self) -> dict[str, set[str]]:
        """What the school's lists hold beside the bundled ones: names by category."""
        found: dict[str, set[str]] = {}
        for kind, sites in self.sites.items():
            category = "background" if kind in SIDE else kind
            for site in sites:
                if site.listed and not real(site.host):
                    found.setdefault(category, set()).add(site.base)
        return found

    def own(self) -> dict[str, str]:
        """The school's own list."""
        return {"wharfside.test": "learning"}

    def side(self) -> list[Site]:
        """Every host that pages bring along."""
        return [site for kind in SIDE for site in self.sites[kind]]


def real(host: str) -> bool:
    """Whether a host is a well-known name, not an invented one."""
    return host.rsplit(".", 1)[-1] not in ("test", "example", "invalid")


def make(seed: int, difficulty: str) -> World:
    """The world of a seed; `difficulty` says how much of it the lists and the filter know."""
    namer, rng = Namer(dice(seed, "names")), dice(seed, "world")
    world = World(seed, difficulty, namer)
    bad, side, known = COVER[difficulty]
    wanted = [*BAD.items(), *GOOD.items(), *SIDE.items()]
    hosts = {kind: [namer.host() for _ in range(count)] for kind, count in wanted}
    for kind, count in wanted:
        share = side if kind in SIDE else bad if kind in BAD else 1.0 if kind in ("learning", "help_seeking") else 0.0
        world.sites[kind] = [Site(host, kind, n < round(share * count)) for n, host in enumerate(hosts[kind])]
        rng.shuffle(world.sites[kind])
        for n, site in enumerate(world.sites[kind]):
            site.known = kind in BAD and n < round(known * count)
        rng.shuffle(world.sites[kind])
    for kind, names in KNOWN.items():
        world.sites[kind] += [Site(name, kind, listed=True, known=kind in BAD) for name in names]
    for kind, sites in world.sites.items():
        for site in sites if kind not in SIDE else []:
            _furnish(world, site)
    return world


def _furnish(world: World, site: Site) -> None:
    """Give a site hosts of its own and what its pages bring along; good and bad sites alike."""
    rng = dice(world.seed, "furnish", site.host)
    few = 1 if site.kind in ("learning", "help_seeking") else 2
    picks = rng.sample(world.sites["advert"], rng.randrange(0, few + 1)) + rng.sample(world.sites["tracker"], 1)
    site.brings = tuple(other.host for other in picks + rng.sample(world.sites["cdn"], rng.randrange(1, 3)))
    if not real(site.host):
        site.own = tuple(f"{fore}.{site.base}" for fore in rng.sample(("static", "img", "api", "media"), rng.randrange(0, 3)))


def starter(rules: Path) -> dict[str, str]:
    """Every name of the bundled lists and its category, as the naive comparator reads them."""
    return {line.strip(): path.stem for path in sorted(rules.glob("lists/*.txt"))
            for line in path.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")}

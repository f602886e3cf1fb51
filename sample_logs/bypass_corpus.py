"""Measure how well ways round the filter are told by their addresses: a made-up corpus, the real night over it, figures.

    python sample_logs/bypass_corpus.py --seed 1            what `make quality-bypass` runs
    python sample_logs/bypass_corpus.py --seed 1 --missed   every address that was missed or wrongly raised

Each address is one line of one pupil's own, so a raised one is a detection that names that pupil. Addresses are composed from what
the tools and services do, with made-up hosts, folders, keys and pages; nothing is read from `rules/`. Good and bad draw their
hosts from one bag, so that no host can give either away; part of the pages sought stand on the made-up school's own list (as
games, social media and so on), the others on none. Beside it stand two comparators: the school's lists alone, and the keywords
that filters are searched for.
"""

from __future__ import annotations

import argparse
import base64
import codecs
import csv
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parent.parent
EACH = 30  # addresses of each technique
START = 1793612400  # Monday 2 November 2026, 09:00 UTC
KEYWORDS = re.compile(r"proxy|vpn|unblock|bypass|tor(?![a-z])|tunnel|hide", re.IGNORECASE)
SYLLABLES = ("ba", "cor", "del", "fen", "gri", "hal", "jo", "kel", "lum", "mar", "nor", "pel", "qui", "ros", "sun", "tav", "ul", "ver", "wil",
             "zen")
PLACES = ("maths", "notes", "river", "hub", "static", "content", "lesson", "year9", "portal", "study", "cloud", "space", "garden", "music",
          "page", "x", "app", "v2", "home", "files", "work", "play", "area", "unit4", "a1", "science", "reading", "team",
          "docs", "test", "view", "login", "report", "images")
PAGES = ("", "play", "watch/7", "c/first-look", "news/2026/11/a-day-out", "index.html", "index.php?id=4&v=2", "u/anna", "room?n=12",
         "levels/3", "story.html")
WANTED = ("games", "social_media", "video_streaming", "messaging", "gambling", "pornography")
EXTENSION = "omghfjlpggmjjaagoclmmobgdodcjboh"  # Browsec, as the browser's shop calls it


@dataclass(frozen=True)
class Made:
    """One composed address: what it is, and whether it goes round the filter."""

    kind: str
    bad: bool
    url: str
    status: int = 200
    content: str = "text/html"


class Maker:
    """Draws hosts, folders, pages and codecs from one seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        names = [self.word(3) + end for end in (".example", ".test", ".invalid") for _ in range(40)]
        self.wanted = {f"www.{name}": WANTED[n % len(WANTED)] for n, name in enumerate(names[:60])}  # on the school's list
        self.unlisted = [f"www.{name}" for name in names[60:90]]
        self.plainly = [f"www.{name}" for name in names[90:]]  # ordinary sites, on no list

    def word(self, parts: int = 2) -> str:
        """A made-up word."""
        return "".join(self.dice.choice(SYLLABLES) for _ in range(parts))

    def sign(self, size: int, signs: str = "abcdefghijklmnopqrstuvwxyz0123456789") -> str:
        """A run of letters."""
        return "".join(self.dice.choice(signs) for _ in range(size))

    def hex(self, size: int) -> str:
        """A run of hex figures."""
        return self.sign(size, "0123456789abcdef")

    def token(self, size: int) -> str:
        """A run of base64url letters."""
        return self.sign(size, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

    def host(self) -> str:
        """A host from the one bag that good and bad draw from."""
        name = self.word(self.dice.choice((2, 3, 4)))
        shape = self.dice.random()
        if shape < 0.35:
            return f"{name}.{self.dice.choice(('example', 'test', 'invalid'))}"
        if shape < 0.7:
            return f"{self.dice.choice(PLACES)}.{name}.{self.dice.choice(('example', 'test'))}"
        if shape < 0.9:
            return f"{name}-{self.sign(4)}.{self.dice.choice(('apps', 'pages', 'edge'))}.example"
        return f"203.0.113.{self.dice.randrange(1, 255)}"

    def folder(self, least: int = 1) -> str:
        """Some folders, from the first slash to the last."""
        return "/" + "".join(self.dice.choice((self.dice.choice(PLACES), self.word())) + "/"
                             for _ in range(self.dice.randrange(least, 4)))

    def page(self) -> str:
        """A page that pupils go round a filter for: two in three on the school's list, one on none."""
        host = self.dice.choice(list(self.wanted)) if self.dice.random() < 0.67 else self.dice.choice(self.unlisted)
        return self._page(host)

    def listed(self) -> str:
        """A page on the school's list."""
        return self._page(self.dice.choice(list(self.wanted)))

    def harmless(self) -> str:
        """An ordinary page."""
        return self._page(self.dice.choice(self.plainly))

    def either(self) -> str:
        """Any page at all."""
        return self.dice.choice((self.harmless, self.listed))()

    def _page(self, host: str) -> str:
        return f"{self.dice.choice(('https', 'https', 'http'))}://{host}/{self.dice.choice(PAGES)}"


def whole(text: str) -> str:
    """Everything percent-encoded, as encodeURIComponent does."""
    return quote(text, safe="-_.!~*'()")


def b64(text: str | bytes) -> str:
    """base64 for addresses, without its end."""
    return base64.urlsafe_b64encode(text.encode() if isinstance(text, str) else text).decode().rstrip("=")


def mixed(text: str, key: int = 2) -> str:
    """Every second letter by xor."""
    return "".join(chr(ord(letter) ^ key) if n % 2 else letter for n, letter in enumerate(text))


def shuffled(m: Maker, text: str) -> str:
    """Letters and figures moved about, as Rammerhead does."""
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    turned = "".join(m.dice.sample(signs, len(signs)))
    return text.translate(str.maketrans(signs, turned))


def moved(m: Maker, text: str) -> str:
    """Every byte moved on by a hex figure of a key, then base64, as php-proxy does."""
    key = m.hex(32).encode()
    return b64(bytes((byte + key[n % 32]) % 256 for n, byte in enumerate(text.encode())))


def site_of(url: str) -> str:
    """The host of an address."""
    return url.split("/")[2]


def dns_query(name: str) -> str:
    """A look-up of a name as a DNS message in base64."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return b64(b"\0\0\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1")


Line = Callable[[Maker], tuple[str, ...]]
# Each draws one address (and, where it matters, its status and content type). The host is put in front.
BAD: dict[str, list[Line]] = {
    "in-browser, mixed by xor": [
        lambda m: (m.folder() + whole(mixed(m.page(), m.dice.choice((2, 2, 2, 3, 1, 5, 7)))),),
        lambda m: (m.folder() + mixed(m.page()).replace("/", "%2F").replace("?", "%3F").replace("#", "%23"),),
        lambda m: ("/" + m.word() + "?" + m.word(1) + "=" + whole(mixed(m.page(), m.dice.randrange(1, 8))),),
        lambda m: (m.folder() + m.dice.choice(("js_/", "css_/", "xhr_/", "")) + whole(mixed(m.page())) + "/",),
        lambda m: (m.folder() + quote(whole(mixed(m.page(), 4)), safe=""),)],
    "in-browser, base64": [
        lambda m: (m.folder() + b64(m.page()),),
        lambda m: (m.folder() + b64(whole(m.page())),),
        lambda m: (m.folder(0) + "_" + b64("https://" + site_of(m.page())) + "_/" + m.word(),),
        lambda m: (m.folder() + b64(mixed(m.page())),),
        lambda m: (m.folder() + b64(b64(m.page())),)],
    "in-browser, encoded page in the path": [
        lambda m: (m.folder() + whole(m.page()),),
        lambda m: (m.folder() + quote(whole(m.page()), safe=""),),
        lambda m: (m.folder() + whole(m.page()) + "?topFrame=" + m.sign(8) + "&parentFrame=" + m.sign(8),)],
    "in-browser, two random names": [
        lambda m: ("/~/" + m.sign(2) + "/" + m.sign(8) + "/" + m.sign(8) + "/" + whole(m.page()),),
        lambda m: ("/" + m.word() + "/" + m.sign(8) + "/" + m.sign(8) + "/" + whole(m.page()) + "?$dest=document&$io=1",)],
    "rewriting proxy, plain page in the path": [
        lambda m: (m.folder() + m.page(),),
        lambda m: (m.folder() + m.page().replace("://", ":/"),),
        lambda m: (m.folder() + m.dice.choice(("js_/", "oe_/", "wkr_/")) + m.page(),)],
    "other codecs": [
        lambda m: (m.folder() + m.page().encode().hex(),),
        lambda m: (m.folder() + whole(codecs.encode(m.page(), "rot13")),),
        lambda m: (m.folder() + whole(m.page()[::-1]),),
        lambda m: (m.folder() + base64.b32encode(m.page().encode()).decode().rstrip("=").lower(),),
        lambda m: ("/" + m.word() + ".php?" + m.word(1) + "=" + whole(codecs.encode(m.page(), "rot13")),)],
    "any page right after the first slash": [lambda m: ("/" + m.listed(),), lambda m: ("/" + whole(m.listed()),)],
    "host and page as folders": [lambda m: ("/" + m.page().replace("://", "/"),)],
    "Rammerhead": [
        lambda m: ("/" + m.hex(32) + "/" + m.page(),),
        lambda m: ("/" + m.hex(32) + "/_rhs" + shuffled(m, m.page()),),
        lambda m: ("/" + m.hex(32) + "!" + m.dice.choice("ifse") + "!utf-8/" + m.page(),),
        lambda m: (f"/{m.dice.choice(('editsession', 'sessionexists', 'deletesession'))}?id={m.hex(32)}",)],
    "Glype": [
        lambda m: (m.folder(0) + m.word() + ".php?u=" + whole(m.page()[4:]) + f"&b={m.dice.randrange(256)}",),
        lambda m: (m.folder(0) + "browse.php?u=" + b64(bytes(m.dice.randrange(256) for _ in range(30))) + f"&b={m.dice.randrange(256)}"
                   + m.dice.choice(("", "&f=norefer", "&f=frame")),),
        lambda m: ("/" + m.word() + ".php/" + "/".join(m.token(8) for _ in range(4)) + f"/b{m.dice.randrange(256)}/",),
        lambda m: (m.folder(0) + "includes/process.php?action=update",)],
    "php-proxy": [
        lambda m: (m.folder(0) + "index.php?q=" + moved(m, m.page()),),
        lambda m: (m.folder(0) + "index.php?q=" + b64(m.page()),),
        lambda m: (m.folder(0) + "index.php?q=" + whole(m.listed()),)],
    "miniProxy, renamed": [
        lambda m: (m.folder(0) + m.word() + ".php?" + m.page(),), lambda m: (m.folder(0) + "miniProxy.php?" + m.page(),)],
    "PHProxy": [
        lambda m: (m.folder(0) + "index.php?q=" + whole(codecs.encode(m.page(), "rot13")) + "&hl=" + m.hex(3),),
        lambda m: (m.folder(0) + m.word() + ".php?q=" + b64(m.page()) + "&hl=3ed",),
        lambda m: (m.folder(0) + "index.php?_proxurl=" + m.token(40) + "&_proxfl=1",)],
    "CGIProxy": [
        lambda m: ("/cgi-bin/nph-proxy.cgi/" + m.sign(6, "01") + "A/" + m.page().replace("://", "/"),),
        lambda m: ("/cgi/" + m.word() + ".pl/" + m.sign(6, "01") + "A/" + m.page().replace("://", "/"),),
        lambda m: ("/" + m.word() + "/" + m.sign(6, "01") + "B/" + codecs.encode(m.page().replace("://", "/"), "rot13"),),
        lambda m: ("/" + m.word() + "/en/20/" + m.page().replace("://", "/"),)],
    "KnProxy": [lambda m: (m.folder(0) + "index.php?url=" + m.sign(30) + f"&encrypt_key={m.dice.randrange(1, 900)}",)],
    "CroxyProxy": [
        lambda m: ("/" + m.dice.choice(PAGES[1:4]) + "?__cpo=" + b64("https://" + site_of(m.page())),),
        lambda m: (f"/__cpi.php?s={m.token(12)}&r={b64(m.page())}&__cpo=1",), lambda m: (f"/__cpa.cp.js?dummy={m.hex(32)}",)],
    "a script with the page in base64": [
        lambda m: ("/" + m.dice.choice(("gateway", "prox", "session", "surf.php", "browse.php")) + "?"
                   + m.dice.choice(("url", "u", "q")) + "=" + b64(m.page()),),
        lambda m: ("/" + m.word() + "?" + m.word(1) + "=" + b64(m.listed()),)],
    "working parts": [
        lambda m: (m.folder() + f"uv.{m.dice.choice(('bundle', 'config', 'handler', 'sw', 'client'))}.js?v={m.sign(4)}",
                   "200", "application/javascript"),
        lambda m: (m.folder() + f"scramjet.{m.dice.choice(('all', 'sync', 'worker', 'bundle', 'codecs'))}.js", "200", "text/javascript"),
        lambda m: (m.folder() + f"networking.{m.dice.choice(('bundle', 'sw', 'handler'))}.js", "200", "text/javascript"),
        lambda m: (m.folder() + f"dynamic.{m.dice.choice(('worker', 'handler', 'config'))}.js", "200", "text/javascript"),
        lambda m: (m.folder() + f"{m.dice.choice(('baremux', 'epoxy', 'libcurl'))}/index.mjs", "200", "text/javascript"),
        lambda m: (m.folder() + "rammerhead.js", "200", "text/javascript"),
        lambda m: ("/npm/@" + m.dice.choice(("titaniumnetwork-dev/ultraviolet", "mercuryworkshop/bare-mux")) + f"@{m.dice.randrange(1, 4)}"
                   + f".{m.dice.randrange(9)}.0/dist/{m.word()}.js", "200", "text/javascript"),
        lambda m: (f"/_astro/{m.token(8)}.js/{m.token(9)}",), lambda m: (m.folder() + "client/unblocker-client.js", "200", "text/javascript")],
    "transports and sockets": [
        lambda m: (m.folder(0) + f"v3/?cache={m.hex(32)}", "200", "application/octet-stream"),
        lambda m: (m.folder(0) + f"v{m.dice.choice('12')}/ws-meta", "200", "application/json"),
        lambda m: (m.folder(0) + "wisp/", "101", "-"), lambda m: (m.folder(0) + site_of(m.page()) + ":443", "101", "-")],
    "a translated copy": [
        lambda m: (f"/translate?sl=auto&tl=en&u={whole(m.listed())}",), lambda m: (f"/website?sl=fr&tl=en&hl=en&u={m.listed()}",)],
    "an archived or cached copy": [
        lambda m: (f"/web/{m.dice.choice((2025, 2026))}{m.dice.randrange(1, 10):02d}04120000{m.dice.choice(('', 'if_', 'js_'))}/{m.listed()}",),
        lambda m: (f"/newest/{m.listed()}",), lambda m: (f"/search?q=cache:{m.token(12)}:{site_of(m.listed())}/x&hl=en",)],
    "a page through a fetcher": [
        lambda m: (f"/raw?url={whole(m.listed())}",), lambda m: (f"/macros/s/AKfycb{m.token(40)}/exec?url={whole(m.listed())}",),
        lambda m: (f"/gadgets/proxy?container=none&url={whole(m.listed())}",), lambda m: (f"/?url={whole(m.listed())}",),
        lambda m: (f"/p/g/?url={whole(m.listed())}",)],
    "a video site behind another front": [
        lambda m: (f"/latest_version?id={m.token(11)}&itag={m.dice.choice((18, 22))}&local=true", "206", "video/mp4"),
        lambda m: (f"/videoplayback?expire=17{m.sign(8, '0123456789')}&id=o-{m.token(12)}&host=rr{m.dice.randrange(9)}---sn-{m.sign(8)}"
                   ".googlevideo.com", "206", "video/mp4")],
    "VPN, hidden resolver": [
        lambda m: (f"/dns-query?dns={dns_query(site_of(m.page()))}", "200", "application/dns-message"),
        lambda m: (f"//psiphon/web/{m.sign(4)}-{m.sign(4)}-{m.sign(4)}/server_list_compressed", "200", "application/octet-stream"),
        lambda m: (f"/client_cgi/zgettunnels?country={m.sign(2)}&uuid={m.hex(32)}",),
        lambda m: (f"/service/update2/crx?response=redirect&os=win&x=id%3D{EXTENSION}%26installsource%3Dondemand%26uc", "302", "-")],
}
GOOD: dict[str, list[Line]] = {
    "library gateways": [
        lambda m: (f"/login?url={m.harmless()}",), lambda m: (f"/login?qurl={whole(m.harmless())}",),
        lambda m: (f"/redirector/{m.word()}.example?url={whole(m.harmless())}",), lambda m: (f"/menu?url={m.harmless()}",)],
    "web archives for history": [
        lambda m: (f"/web/{m.dice.randrange(1998, 2020)}0612000000/{m.either()}",),
        lambda m: (f"/web/{m.dice.randrange(2019, 2027)}0102030405/{m.harmless()}",),
        lambda m: (f"/save/{m.harmless()}",), lambda m: (f"/web/{m.dice.randrange(1998, 2019)}0401000000js_/{m.harmless()}",)],
    "translation for languages": [
        lambda m: (f"/translate?sl=fr&tl=en&u={whole(m.harmless())}",), lambda m: (f"/?sl=de&tl=en&text={m.word()}&op=translate",),
        lambda m: (f"/website?sl=es&tl=en&u={m.harmless()}",)],
    "signing in": [
        lambda m: (f"/oauth2/v2.0/authorize?client_id={m.hex(32)}&redirect_uri={whole(m.either())}&response_type=code&state={b64(m.either())}",),
        lambda m: (f"/idp/profile/SAML2/Redirect/SSO?SAMLRequest={m.token(180)}&RelayState={whole(m.harmless())}",),
        lambda m: (f"/cas/login?service={whole(m.harmless())}",), lambda m: (f"/accounts/login/?next={whole(m.harmless())}",),
        lambda m: (f"/session/sso?u={whole(m.harmless())}&return_to={whole(m.harmless())}",)],
    "signed addresses and tokens": [
        lambda m: (f"/{m.word()}/{m.word()}.pdf?X-Amz-Credential={m.token(30)}&X-Amz-Signature={m.hex(64)}", "200", "application/pdf"),
        lambda m: (f"/{m.word()}?t=eyJhbGciOiJIUzI1NiJ9.{b64(json.dumps({'iss': m.harmless(), 'n': m.sign(9)}))}.{m.token(43)}",),
        lambda m: (f"/api/file/{b64(json.dumps({'path': m.word(), 'at': m.harmless()}))}",), lambda m: (f"/{m.hex(32)}/{m.word()}.css",),
        lambda m: (f"/index.php?q={m.token(43)}",), lambda m: (f"/s/{m.token(64)}",)],
    "link shields": [
        lambda m: (f"/?url={whole(m.either())}&data=05%7C02%7C{m.hex(20)}&sdata={m.token(40)}&reserved=0",),
        lambda m: (f"/url?q={whole(m.either())}&sa=U&ved={m.token(30)}&usg={m.token(24)}",),
        lambda m: (f"/ck/a?!&&p={m.hex(40)}&u=a1{b64(m.either())}&ntb=1",), lambda m: (f"/v3/__{m.either()}__;!!{m.token(40)}",),
        lambda m: (f"/l.php?u={whole(m.either())}&h=AT{m.token(40)}",), lambda m: (f"/l/?uddg={whole(m.either())}&rut={m.hex(64)}",),
        lambda m: (f"/linkfilter/?u={whole(m.either())}",), lambda m: (f"/out?url={whole(m.either())}&token={m.token(20)}",),
        lambda m: (f"/L0/{whole(m.either())}/1/{m.hex(16)}-{m.hex(8)}/{m.token(27)}=1",),
        lambda m: (f"/lnk/{m.token(20)}/{m.dice.randrange(20)}/{m.token(22)}/{b64(m.either())}",)],
    "sharing and redirects": [
        lambda m: (f"/sharer/sharer.php?u={whole(m.either())}",), lambda m: (f"/intent/tweet?url={whole(m.harmless())}&text={m.word()}",),
        lambda m: (f"/redirect?to={whole(m.either())}",), lambda m: (f"/cread.php?awinmid=12&awinaffid=9&ued={whole(m.harmless())}",),
        lambda m: (f"/go?to={b64(m.harmless())}",)],
    "pictures through a store": [
        lambda m: (f"/cdn-cgi/image/width={m.dice.randrange(80, 900)},quality=75/{m.either()}", "200", "image/webp"),
        lambda m: (f"/{m.token(20)}/rs:fit:300:200:1:0/g:ce/{b64(m.either())}", "200", "image/jpeg"),
        lambda m: (f"/{m.hex(40)}/{m.either().encode().hex()}", "200", "image/png"),
        lambda m: (f"/_next/image?url={whole(m.either() + '.png')}&w=640&q=75", "200", "image/png"),
        lambda m: (f"/{m.word()}/image/fetch/f_auto,q_auto/{m.either()}.jpg", "200", "image/jpeg"),
        lambda m: (f"/external/{m.token(43)}/{m.either().replace('://', '/')}.png", "200", "image/png"),
        lambda m: (f"/?url={whole(m.either() + '.jpg')}&w=400", "200", "image/jpeg"),
        lambda m: (f"/unsafe/300x200/{m.either()}.gif", "200", "image/gif"), lambda m: (f"/safe_image.php?d={m.token(12)}&url={whole(m.either())}",)],
    "feeds and embeds": [
        lambda m: (f"/oembed?url={whole(m.either())}&format=json", "200", "application/json"),
        lambda m: (f"/i/subscription/feed%2F{whole(m.harmless())}",), lambda m: (f"/v1/api.json?rss_url={whole(m.harmless())}",),
        lambda m: (f"/plugins/like.php?href={whole(m.either())}&layout=button",), lambda m: (f"/embed?url={whole(m.either())}",),
        lambda m: (f"/s2/favicons?domain_url={whole(m.either())}&sz=32", "200", "image/png")],
    "checkers, readers and viewers": [
        lambda m: (f"/nu/?doc={whole(m.harmless())}",), lambda m: (f"/report?url={whole(m.harmless())}",),
        lambda m: (f"/gview?url={whole(m.harmless() + '.pdf')}&embedded=true",), lambda m: (f"/op/view.aspx?src={whole(m.harmless())}.docx",),
        lambda m: (f"/web/viewer.html?file={whole(m.harmless())}.pdf",), lambda m: (f"/cgi-bin/rsent?customerid=12&lang=en_uk&url={whole(m.harmless())}",),
        lambda m: (f"/analysis?url={whole(m.harmless())}&form_factor=mobile",), lambda m: (f"/cite?url={whole(m.harmless())}&style=harvard",)],
    "coding clubs and data": [
        lambda m: (f"/raw?url={whole('https://api.' + m.word(3) + '.example/v1/weather.json')}", "200", "application/json"),
        lambda m: (f"/https://api.{m.word(3)}.example/v2/planets.json", "200", "application/json"),
        lambda m: (f"/?https://api.{m.word(3)}.example/data.csv", "200", "text/csv"), lambda m: (f"/proxy/8080/{m.word()}/",),
        lambda m: (f"/macros/s/AKfycb{m.token(40)}/exec?class=9B&week=4",), lambda m: (f"/proxy/{m.dice.randrange(3000, 9000)}/?token={m.hex(40)}",)],
    "maps": [
        lambda m: (f"/proxy.ashx?https://maps.{m.word()}.example/arcgis/rest/services/roads/MapServer?f=json", "200", "application/json"),
        lambda m: (f"/proxy/proxy.php?https://gis.{m.word()}.example/geoserver/wms?service=WMS&request=GetMap", "200", "image/png"),
        lambda m: (f"/sharing/proxy?https://{m.word()}.example/arcgis/rest/services/x/FeatureServer", "200", "application/json")],
    "telemetry and adverts": [
        lambda m: (f"/g/collect?v=2&tid=G-{m.sign(9)}&dl={whole(m.either())}&dr={whole(m.harmless())}", "204", "-"),
        lambda m: (f"/getuid?{m.harmless()}?uid=$UID", "302", "-"), lambda m: (f"/b/ss/{m.word()}/1/JS-2.2/s1?g={whole(m.either())}", "200", "image/gif"),
        lambda m: (f"/ping?h={m.word()}.example&p={whole(m.either())}&u={m.token(16)}", "200", "image/gif"),
        lambda m: (f"/p?c1=2&c2=9&c7={whole(m.either())}", "204", "-"), lambda m: (f"/matomo.php?idsite=3&rec=1&url={whole(m.either())}", "204", "-")],
    "pages about proxies and VPNs": [
        lambda m: (f"/blog/{m.dice.choice(('what-is-a-vpn', 'how-a-proxy-works', 'tor-explained', 'gcse-firewall-and-proxy'))}",),
        lambda m: ("/docs/http/ngx_http_proxy_module.html",), lambda m: (f"/wiki/{m.dice.choice(('Proxy_war', 'Proxy_server', 'Ultraviolet'))}",),
        lambda m: ("/package/@mercuryworkshop/bare-mux",), lambda m: (f"/questions/{m.dice.randrange(10**6)}/nginx-reverse-proxy-to-another-host",),
        lambda m: ("/physics/ultraviolet-light.html",), lambda m: (f"/search?q={m.dice.choice(('proxy+indicators+climate', 'vpn+definition+gcse'))}",),
        lambda m: ("/engineering/scramjet-engine",), lambda m: (f"/rot13?text={whole(codecs.encode(m.harmless(), 'rot13'))}",),
        lambda m: (f"/decode?input={b64(m.harmless())}",)],
    "remote access and portals": [
        lambda m: (f"/f5-w-{m.harmless()[:30].encode().hex()}$$/owa/",), lambda m: (f"/+CSCO+0h{m.hex(60).upper()}++/index.html",),
        lambda m: (f"/dana/home/index.cgi,DanaInfo={m.word()}.example+x",), lambda m: (f"/login.html?redirect={whole(m.either())}",),
        lambda m: (f"/portal/index.php?u={whole(m.harmless())}&mac={m.hex(12)}",), lambda m: ("/global-protect/login.esp",),
        lambda m: (f"/RDWeb/Pages/en-US/login.aspx?ReturnUrl={whole(m.harmless())}",), lambda m: (f"/blocked?url={b64(m.listed())}&cat=games",)],
    "ordinary addresses like those of tools": [
        lambda m: (f"/browse.php?u={m.dice.randrange(9999)}&b={m.dice.randrange(40)}",), lambda m: ("/poems/wisp/",),
        lambda m: (f"/youtube/v3/videos?id={m.token(11)}", "200", "application/json"), lambda m: (f"/v2/{m.word()}/manifests/latest",),
        lambda m: (f"/_astro/{m.word()}.{m.token(8)}.js", "200", "text/javascript"), lambda m: (f"/_next/data/{m.token(21)}/index.json",),
        lambda m: (f"/newsession?room={m.word()}",), lambda m: (f"/editsession?id={m.dice.randrange(400)}",),
        lambda m: (f"/watch?v={m.dice.randrange(9999)}",), lambda m: (f"/service/update2/crx?x=id%3D{EXTENSION}%26v%3D3.1%26uc", "204", "-"),
        lambda m: (f"/assets/mathematics/{m.word()}.css", "200", "text/css"), lambda m: (f"/index.php?q={m.word()}+{m.word()}",),
        lambda m: (f"/api/?cache={m.hex(32)}", "200", "application/json"), lambda m: ("/config.js", "200", "text/javascript"),
        lambda m: (f"/v0/b/{m.word()}.example/o/img%2F{m.word()}%2F{m.hex(12)}.png?alt=media", "200", "image/png")],
}
# Where the host itself shows it, it is composed whole; good and bad still draw on one bag of words.
BAD_HOSTS: dict[str, Callable[[Maker], str]] = {
    "a translated copy": lambda m: f"https://{site_of(m.listed()).replace('-', '--').replace('.', '-')}.translate.goog/?_x_tr_sl=auto&_x_tr_tl=en",
    "a host named for what it does": lambda m: f"https://{m.dice.choice(('unblocked-games-', 'classroom6x-', 'unblocked66-'))}{m.word()}.example/",
}
GOOD_HOSTS: dict[str, Callable[[Maker], str]] = {
    "translation for languages": lambda m: f"https://{site_of(m.harmless()).replace('.', '-')}.translate.goog/?_x_tr_sl=fr&_x_tr_tl=en",
    "library gateways": lambda m: f"https://{site_of(m.harmless()).replace('.', '-')}.ezproxy.{m.word()}.example/stable/{m.dice.randrange(9999)}",
    "a host named for what it is": lambda m: f"https://{m.dice.choice(('drain-unblockers-', 'classroom-', 'proxy.'))}{m.word()}.example/",
}


def corpus(seed: int, each: int = EACH) -> tuple[list[Made], Maker]:
    """The addresses of one seed, and who made them."""
    m = Maker(seed)
    made = []
    for bad, kinds in ((True, BAD), (False, GOOD)):
        for kind, shapes in kinds.items():
            for n in range(each):
                path, *more = shapes[n % len(shapes)](m)
                status, content = (more + ["200", "text/html"][len(more):])[:2]
                made.append(Made(kind, bad, f"https://{m.host()}{path}", int(status), content))
    for bad, kinds in ((True, BAD_HOSTS), (False, GOOD_HOSTS)):
        for kind, shape in kinds.items():
            made += [Made(kind, bad, shape(m)) for _ in range(each)]
    return made, m


def school(folder: Path, made: Sequence[Made], m: Maker) -> Path:
    """A school folder with a pupil for each address, and a log in which each asks for theirs."""
    shutil.copytree(ROOT / "rules", folder / "rules")
    shutil.copy(ROOT / "school.toml", folder)
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("username", "name", "role", "year", "house"),
                                   *((f"20p{n}", f"Pupil {n}", "student", "9", "Heron") for n in range(len(made)))])
    with (folder / "rules/lists/own.csv").open("a", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows((host.removeprefix("www."), category, "made up", "made up", "") for host, category in m.wanted.items())
    log = folder / "access.log"
    with log.open("w", encoding="utf-8", newline="\n") as out:
        for n, one in enumerate(made):
            at = START + n
            out.write(f"{at}.000     80 10.{40 + n // 60_000}.{n // 250 % 240}.{n % 250 + 1} TCP_MISS/{one.status} 9000 GET "
                      f"{one.url.replace(' ', '%20')} 20p{n} HIER_DIRECT/203.0.113.9 {one.content}\n")
    return log


def raised(folder: Path, log: Path) -> dict[int, str]:
    """What the night and its export say: the category by the number of the pupil named."""
    words = [sys.executable, "-m", "pipeline", "--school", str(folder)]
    subprocess.run([*words, "nightly", str(log)], cwd=ROOT, check=False, capture_output=True)
    out = folder / "detections.csv"
    done = subprocess.run([*words, "export", "detections", "--names", "--to", str(out)], cwd=ROOT, check=False, capture_output=True, text=True)
    if not out.exists():
        sys.exit(f"the export failed: {done.stderr}")
    with out.open(encoding="utf-8", newline="") as rows:
        return {int(row["user"].rpartition("p")[2]): row["category"] for row in csv.DictReader(rows) if row["user"].startswith("20p")}


def share(part: int, of: int) -> str:
    """A percentage with one figure."""
    return f"{100 * part / of:.1f}%" if of else "-"


def table(made: Sequence[Made], found: set[int], told: dict[str, set[int]]) -> str:
    """A row for each technique and each look-alike, then the whole beside the comparators."""
    total, hits = Counter((one.bad, one.kind) for one in made), Counter((made[n].bad, made[n].kind) for n in found)
    rows = ["| way round the filter | addresses | recall |", "|---|--:|--:|"]
    rows += [f"| {kind} | {n} | {share(hits[bad, kind], n)} |" for (bad, kind), n in total.items() if bad]
    rows += ["", "| ordinary look-alike | addresses | raised |", "|---|--:|--:|"]
    rows += [f"| {kind} | {n} | {share(hits[bad, kind], n)} |" for (bad, kind), n in total.items() if not bad]
    bads, goods = {n for n, one in enumerate(made) if one.bad}, {n for n, one in enumerate(made) if not one.bad}
    rows += ["", "| told by | recall | look-alikes raised |", "|---|--:|--:|"]
    rows += [f"| {name} | {share(len(hit & bads), len(bads))} | {share(len(hit & goods), len(goods))} |"
             for name, hit in ({"Schoolgate": found} | told).items()]
    return "\n".join(rows)


def comparators(made: Sequence[Made]) -> dict[str, set[int]]:
    """What the lists that come with Schoolgate say of the hosts alone, and what keywords say of the addresses."""
    listed = {line.split("#")[0].strip() for path in (ROOT / "rules/lists").glob("bypass_*.txt")
              for line in path.read_text("utf-8").splitlines()} - {""}
    hosts = [one.url.split("/")[2].split(":")[0].split(".") for one in made]
    return {"the lists alone": {n for n, labels in enumerate(hosts) if any(".".join(labels[i:]) in listed for i in range(len(labels)))},
            "keywords": {n for n, one in enumerate(made) if KEYWORDS.search(one.url)}}


def measure(seed: int, each: int, missed: bool) -> str:
    """The figures of one seed, as text."""
    made, m = corpus(seed, each)
    with tempfile.TemporaryDirectory(prefix="schoolgate-bypass-") as name:
        folder = Path(name)
        categories = raised(folder, school(folder, made, m))
    found = {n for n, category in categories.items() if category.startswith("bypass_")}
    told = [f"seed {seed}: {sum(one.bad for one in made)} ways round the filter, {sum(not one.bad for one in made)} look-alikes",
            "", table(made, found, comparators(made))]
    if missed:
        told += ["", *(f"{'missed' if one.bad else 'raised'}\t{one.kind}\t{one.url}" for n, one in enumerate(made) if one.bad != (n in found))]
    return "\n".join(told)


def main() -> None:
    """Print what the command line asks for."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seed", type=int, default=1, help="seed of the corpus")
    words.add_argument("--each", type=int, default=EACH, help="addresses of each technique")
    words.add_argument("--missed", action="store_true", help="list what was missed and what was wrongly raised")
    asked = words.parse_args()
    print(measure(asked.seed, asked.each, asked.missed))


if __name__ == "__main__":
    main()

"""Host names: one spelling, the site each belongs to, and the suffixes under which a list may name it.

The public suffix list comes with `tldextract` and is never fetched. Private suffixes count, so that two sites on one
hosting platform stay two.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

import idna

if TYPE_CHECKING:
    import tldextract


def normalise(host: str) -> str:
    """One spelling of a host: lower case, no final dot, no brackets, international letters as `xn--`."""
    name = host.strip().strip("[]").rstrip(".").lower()
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii").rstrip(".")
    except idna.IDNAError:
        return name


def is_address(name: str) -> bool:
    """Whether a normalised host is an IP address and not a name."""
    if ":" not in name and not name[-1:].isdigit():  # most hosts: to ask the library costs more than the rest of a look-up
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def suffixes(host: str) -> list[str]:
    """Every suffix of a host that ends on a label boundary, longest first; an address has only itself."""
    name = normalise(host)
    if is_address(name):
        return [name]
    labels = name.split(".")
    return [".".join(labels[i:]) for i in range(len(labels))]


def sites(hosts: Iterable[str]) -> dict[str, str]:
    """The site of each host: its registrable domain.

    An address, a single label or a bare suffix is its own site; under an unknown ending, such as `.test`, the site is
    the last two labels.
    """
    return {host: _site(normalise(host)) for host in hosts}


def _site(name: str) -> str:
    if "." not in name or is_address(name):
        return name
    parts = _extract()(name)
    if not parts.suffix:
        return ".".join(name.split(".")[-2:])
    return f"{parts.domain}.{parts.suffix}" if parts.domain else name


@cache
def endings() -> dict[str, str]:
    """Every public suffix and what it is: public, private, star (all that is one label under it) or not (no suffix after all).

    A name under a star is a suffix unless it stands here as `not`.
    """
    public = set(_extract(private=False).tlds)
    return {normalise(rule.lstrip("*.!")): _kind(rule, rule in public) for rule in sorted(_extract().tlds, key=_starred)}


def _starred(rule: str) -> bool:
    return rule.startswith("*.")


def _kind(rule: str, public: bool) -> str:
    if rule.startswith("!"):
        return "not"
    if rule.startswith("*."):
        return "star" if public else "private"
    return "public" if public else "private"


def is_public_suffix(name: str) -> bool:
    """Whether a normalised name is a public suffix, under which anybody may have a name: `co.uk`, and what stands one label under
    a suffix with a star. A hosting platform's own name is none."""
    kinds = endings()
    return kinds.get(name) in ("public", "star") or (name not in kinds and kinds.get(name.partition(".")[2]) == "star")


def platform_of(site: str) -> str:
    """The hosting platform (private suffix) that a site stands on; empty for none."""
    labels, kinds = site.split("."), endings()
    return next((suffix for n in range(1, len(labels)) if kinds.get(suffix := ".".join(labels[n:])) == "private"), "")


@cache
def _extract(private: bool = True) -> tldextract.TLDExtract:
    import tldextract  # noqa: PLC0415 (it brings an HTTP client along, which is never used; most commands ask for no site)

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True,
                                 include_psl_private_domains=private)

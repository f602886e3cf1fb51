"""One grammar for every invented name: whether a host is good or bad cannot be read from its name."""

from __future__ import annotations

from random import Random

STEMS = ("amber", "birch", "cobalt", "drift", "ember", "flint", "grove", "harbour", "indigo", "juniper", "kestrel", "linen",
         "maple",
         "nettle", "orchard", "pebble", "quartz", "ridge", "saffron", "thistle", "umber", "velvet", "willow", "yarrow", "zephyr",
         "anchor", "bramble", "cinder", "dapple", "elder", "fallow", "glimmer", "hollow", "iris", "jasper", "knoll", "lantern",
         "meadow", "nimbus", "ochre", "pollen", "quill", "russet", "sorrel", "tallow", "upland", "verge", "wicker", "yonder")
ENDS = ("test", "test", "test", "example", "invalid")
FORE = ("www", "www", "www", "app", "m", "go", "web", "")
PATHS = ("view", "item", "page", "read", "open", "list", "show", "topic", "unit", "part")
FIRST = ("Abel", "Beatrix", "Corin", "Delphine", "Ewan", "Farida", "Gethin", "Halima", "Isolde", "Jonty", "Keziah", "Leopold",
         "Maeve", "Nikhil", "Ottilie", "Perran", "Quentin", "Rosalba", "Stellan", "Tamsin", "Ulric", "Verity", "Winifred",
         "Zubin")
LAST = ("Alderbrook", "Brackenfell", "Copperdale", "Dunmallow", "Eskwith", "Farthinglow", "Garsdyke", "Haverstock", "Ivelet",
        "Jarrowby", "Kelmbridge", "Lindale", "Mossthwaite", "Netherby", "Orrest", "Pendrith", "Quernmore", "Rusland", "Silecroft",
        "Torpen", "Ullock", "Vickerstone", "Wasdale", "Yewbarrow")


def dice(*words: object) -> Random:
    """Dice that fall the same way for the same words, whatever else is rolled."""
    return Random("/".join(str(word) for word in words))


class Namer:
    """Gives each host name once, all by one grammar."""

    def __init__(self, rng: Random) -> None:
        """Draw names with these dice."""
        self.rng, self.taken = rng, set[str]()

    def site(self) -> str:
        """A registrable name such as birchridge.test, with a hyphen or a number now and then."""
        while True:
            one, two = self.rng.choice(STEMS), self.rng.choice(STEMS)
            name = one + self.rng.choice(("", "", "", "-")) + two + self.rng.choice(("", "", "", "",
                                                                                     str(self.rng.randrange(2, 99))))
            if one != two and name not in self.taken:
                self.taken.add(name)
                return f"{name}.{self.rng.choice(ENDS)}"

    def host(self) -> str:
        """A host on a new site."""
        fore = self.rng.choice(FORE)
        return f"{fore}.{self.site()}" if fore else self.site()


def path(rng: Random) -> str:
    """A path as any site has them."""
    words = "-".join(rng.sample(STEMS, rng.choice((1, 2, 2, 3))))
    return f"/{rng.choice(PATHS)}/{words}" + rng.choice(("", "", f"/{rng.randrange(9000)}", f"?id={rng.randrange(90000)}"))

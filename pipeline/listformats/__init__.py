"""The formats that lists of sites come in: a text in, entries out, and every line accounted for.

A format is one select that gives each line's names with a mark: empty for a name that the list holds, `@` for one that it
excepts, `!` for one that no exception takes back, `~` for one that it takes out again, `#` for a line that says nothing
(blank, comment, header), and otherwise the reason, in words, why the line is left out. Names never become Python objects
one by one, for a list may hold millions; only international ones do, and they are few.

    linewise  formats in which every line speaks for itself: domains, hosts, dnsmasq, urls, squid
    adblock   AdBlock's rules, which take each other back
    rpz       zones of a name server, whose lines hang on those above
    headed    CSV, laid out as its header says
    names     one spelling of each name, and what no list may hold
    parsed    what a text holds, and where its lines went
    parsing   a list in blocks, by any of the formats
"""

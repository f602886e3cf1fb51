"""The pages, as frozen data built by pure functions from small inputs; templates only lay them out. One module a page, and beside
them what several are made of:

    parts          text made safe to show, small counts withheld, the grid of a table
    wording        numbers, shares, days and lists of things in words
    charts         the pictures
    heat           a heat table, as a table and as a picture
    leaders        what the pages for leaders and for governors share
    termfigures    the figures of a term; termdecisions: what leaders are asked because of them
"""

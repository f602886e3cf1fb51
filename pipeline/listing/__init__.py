"""What `schoolgate lists` does: add, update and remove imported lists, and say what they hold, what they changed and why.

A list takes the place of the old one only when it is whole and sound. Each change of a list goes to the change log by itself.

    wanted     a list as a person asks for it, and what is wrong with asking
    upkeep     add, update, remove
    importing  one list: fetched, read, checked and put in place
    labelling  the entries of a source with our categories, and where each line went
    changelog  what the change log says of a list
    telling    what a list holds, in lines
    reasons    why a host has its category
    comparing  what the last update of a list moved
"""

"""Labelled made-up school weeks, and the measure of the program on them (`make quality`).

The labels come from what the domain says a person did, never from what the program prints; whoever writes rules does not take
examples from here, and whoever writes here does not read the rules.
"""

"""Which version of the program this is, as pyproject.toml has it and pages print it."""

VERSION = "0.1.0"

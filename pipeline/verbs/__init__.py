"""The verbs of the command, a module for each family. They turn words into calls, and decide nothing."""

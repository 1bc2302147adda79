"""The questions of the command line, each a file: its keys, and the table that answers it."""

NAMES = ("targets", "best", "break_even", "utilisation", "cost", "sensitivity")

"""The one error of this package: something about the arguments or the run folders that a person can put right."""


class FigureError(ValueError):
    """Bad input; the message names what was expected, what came and where to change it."""

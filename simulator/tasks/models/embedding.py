"""Vectors for symbols."""

from __future__ import annotations

import torch
from torch import nn

from simulator.tasks.validation import whole


class Embedding(nn.Embedding):
    """A table of vectors, drawn uniformly within 0.1 rather than as standard normals.

    Such small vectors may serve as output weights too.

    References
    ----------
    Zaremba, Sutskever, Vinyals, "Recurrent neural network regularization", 2014 (the range is that of its large net's
    order, 0.04 to 0.1; unverified).
    """

    def reset_parameters(self) -> None:
        """Draw the vectors anew."""
        with torch.no_grad():
            self.weight.uniform_(-0.1, 0.1)


def table(vocabulary: int, width: int) -> Embedding:
    """Make a table for the symbols 0..vocabulary-1; ValueError if a number is below 1."""
    return Embedding(whole("model.vocabulary", vocabulary, 1), whole("model.embedding", width, 1))

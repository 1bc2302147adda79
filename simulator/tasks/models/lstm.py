"""Language models of stacked LSTM layers, for words or characters."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from simulator.tasks.models.embedding import table
from simulator.tasks.models.initial import private_generator
from simulator.tasks.validation import whole


class LstmLanguageModel(nn.Module):
    """Predict each symbol from those before it: embedding, LSTM layers, one linear layer.

    Parameters
    ----------
    vocabulary : int
        V, number of symbols.
    embedding : int
        Width of a symbol's vector.
    hidden : int
        Units of each LSTM layer.
    layers : int
        LSTM layers.
    tied : bool
        Whether the output layer's weights are the embedding's, which then must be as wide as `hidden`.
    name : str
        What records call it.

    Raises
    ------
    ValueError
        If a number is below 1, or a tied model's widths differ.

    Notes
    -----
    d = V e + sum over layers of 4 h (inputs + h + 2) + V (h + 1), without V h if tied: 19,780,400 for the Penn
    Treebank's 10,000 words with two layers of 650 (Sparse Binary Compression's word model), 51,034,000 tied with two of
    1,500 (the 194.68 MB of Deep Gradient Compression). Differs from the papers in having no dropout, and every sequence
    begins in the zero state, so that a gradient is a function of parameters, worker and step alone.

    References
    ----------
    Zaremba, Sutskever, Vinyals, "Recurrent neural network regularization", 2014.
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        embedding: int = 650,
        hidden: int = 650,
        layers: int = 2,
        tied: bool = False,
        name: str = "word_lstm",
    ) -> None:
        super().__init__()
        if tied and embedding != hidden:
            raise ValueError(f"model.embedding: expected {hidden}, that is model.hidden, as tied=true, got {embedding}")
        width, depth = whole("model.hidden", hidden, 1), whole("model.layers", layers, 1)
        with private_generator():
            self.embedding = table(vocabulary, embedding)
            self.lstm = nn.LSTM(embedding, width, depth, batch_first=True)
            self.output = nn.Linear(width, vocabulary) if not tied else Bias(vocabulary)
        self.name = name

    def forward(self, tokens: Tensor) -> Tensor:
        """Map symbols (N, T) to logits (N, V, T) of each one's successor."""
        states, _ = self.lstm(self.embedding(tokens))
        if isinstance(self.output, Bias):
            states = functional.linear(states, self.embedding.weight)
        return self.output(states).transpose(1, 2)


class Bias(nn.Module):
    """Add a number to each logit, at first 0."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(Tensor(width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set all to 0."""
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., width) to the same shape."""
        return x + self.bias

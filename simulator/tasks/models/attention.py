"""A recurrent translator: an encoder that reads both ways, a decoder that attends to what was read.

N sentences, L symbols per sentence (symbol 0 fills up), V symbols, h hidden units.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simulator.tasks.models.embedding import table
from simulator.tasks.models.initial import private_generator
from simulator.tasks.validation import whole

CELLS: dict[str, type[nn.GRU] | type[nn.LSTM]] = {"gru": nn.GRU, "lstm": nn.LSTM}


class AttentionTranslator(nn.Module):
    """Predict each symbol of a translation from the source sentence and the symbols before it.

    Parameters
    ----------
    vocabulary : int
        V, one vocabulary for both languages.
    embedding : int
        Width of a symbol's vector, e; one table for both languages.
    hidden : int
        h, of each direction of the encoder and of the decoder.
    layers : int
        Recurrent layers of the encoder and of the decoder.
    cell : str
        'gru' or 'lstm'.
    name : str
        What records call it.

    Raises
    ------
    ValueError
        If a number is below 1 or the cell is unknown.

    Notes
    -----
    The decoder begins in tanh(W b), b the last state of the encoder's backward reading (its top layer). Scores are
    s' W e_j over the source's symbols; the output layer sees tanh(W [s; context]). Differs from the paper in having no
    input feeding, so that all positions of a known translation are computed at once, and no dropout.

    References
    ----------
    Luong, Pham, Manning, "Effective approaches to attention-based neural machine translation", EMNLP 2015, section 3.1
    (global attention, score 'general'); Bahdanau, Cho, Bengio, ICLR 2015, appendix A.2.2 (the first state).
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        embedding: int = 256,
        hidden: int = 256,
        layers: int = 1,
        cell: str = "gru",
        name: str = "attention",
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"model.cell: expected one of {', '.join(CELLS)}, got {cell!r}")
        h, self.layers = whole("model.hidden", hidden, 1), whole("model.layers", layers, 1)
        with private_generator():
            self.embedding = table(vocabulary, embedding)
            self.encoder = CELLS[cell](embedding, h, self.layers, batch_first=True, bidirectional=True)
            self.bridge = nn.Linear(h, h)
            self.decoder = CELLS[cell](embedding, h, self.layers, batch_first=True)
            self.score = nn.Linear(h, 2 * h, bias=False)
            self.combine = nn.Linear(3 * h, h, bias=False)
            self.output = nn.Linear(h, vocabulary)
        self.name = name

    def forward(self, inputs: Tensor) -> Tensor:
        """Map pairs (N, 2, L), source and translation so far, to logits (N, V, L) of the translation's next symbols."""
        source, target = inputs[:, 0], inputs[:, 1]
        read, _ = self.encoder(self.embedding(source))
        backward_end = read[:, 0, read.shape[2] // 2 :]
        first = torch.tanh(self.bridge(backward_end)).expand(self.layers, -1, -1).contiguous()
        begin = (first, torch.zeros_like(first)) if isinstance(self.decoder, nn.LSTM) else first
        states, _ = self.decoder(self.embedding(target), begin)
        scores = torch.bmm(self.score(states), read.transpose(1, 2))
        weights = torch.softmax(scores.masked_fill((source == 0)[:, None, :], float("-inf")), 2)
        context = torch.bmm(weights, read)
        return self.output(torch.tanh(self.combine(torch.cat((states, context), 2)))).transpose(1, 2)

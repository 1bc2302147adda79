"""A small Transformer for translation.

N sentences, L symbols per sentence (symbol 0 fills up), V symbols, m numbers per position.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulator.tasks.models.embedding import table
from simulator.tasks.models.initial import private_generator
from simulator.tasks.validation import whole


class Attention(nn.Module):
    """Multi-head attention; 4 m (m + 1) parameters."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor, seen: Tensor, hidden: Tensor) -> Tensor:
        """Map x (N, L, m), which looks at `seen` (N, S, m) but where `hidden` (N or 1, 1 or L, S), to (N, L, m)."""
        q, k, v = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(x), self.key(seen), self.value(seen))
        )
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
        weights = torch.softmax(scores.masked_fill(hidden[:, None], float("-inf")), 3)
        return self.output((weights @ v).transpose(1, 2).flatten(2))


class Feed(nn.Module):
    """Two dense layers with ReLU between them, for each position by itself."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.widen, self.narrow = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, L, m) to the same shape."""
        return self.narrow(functional.relu(self.widen(x)))


class Layer(nn.Module):
    """Self-attention, in a decoder attention to the source, and dense layers, each normalised first and added."""

    def __init__(self, width: int, heads: int, inner: int, *, decoder: bool) -> None:
        super().__init__()
        self.norm1, self.own = nn.LayerNorm(width), Attention(width, heads)
        if decoder:
            self.norm2, self.cross = nn.LayerNorm(width), Attention(width, heads)
        self.norm3, self.feed = nn.LayerNorm(width), Feed(width, inner)

    def forward(self, x: Tensor, hidden: Tensor, source: Tensor | None = None, unseen: Tensor | None = None) -> Tensor:
        """Map (N, L, m) to the same shape; a decoder's layer looks at `source` but where `unseen`."""
        y = self.norm1(x)
        x = x + self.own(y, y, hidden)
        if source is not None and unseen is not None:
            x = x + self.cross(self.norm2(x), source, unseen)
        return x + self.feed(self.norm3(x))


class Transformer(nn.Module):
    """Predict each symbol of a translation from the source sentence and the symbols before it.

    Parameters
    ----------
    vocabulary : int
        V, one vocabulary for both languages.
    width : int
        m, a multiple of `heads` and even.
    heads : int
        Attention heads.
    layers : int
        Of the encoder and of the decoder.
    inner : int
        f, width of the dense layers.
    name : str
        What records call it.

    Raises
    ------
    ValueError
        If a number is below 1 or `width` does not divide.

    Notes
    -----
    d = V m + layers * (12 m (m + 1) + 2 (2 m f + m + f) + 10 m) + 4 m: both languages' vectors and the output's weights
    are one table. Positions are sines. Differs from the paper in normalising before each part rather than after it, and
    in having no dropout.

    References
    ----------
    Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3; Xiong et al., "On layer normalization in the
    Transformer architecture", ICML 2020 (normalising first needs no warm-up).
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        width: int = 128,
        heads: int = 4,
        layers: int = 2,
        inner: int = 512,
        name: str = "transformer",
    ) -> None:
        super().__init__()
        m, count, f = whole("model.width", width, 2), whole("model.heads", heads, 1), whole("model.inner", inner, 1)
        if m % count or m % 2:
            raise ValueError(f"model.width: expected an even multiple of model.heads={count}, got {m}")
        depth = whole("model.layers", layers, 1)
        with private_generator():
            self.embedding = table(vocabulary, m)
            self.encoder = nn.ModuleList(Layer(m, count, f, decoder=False) for _ in range(depth))
            self.encoder_norm = nn.LayerNorm(m)
            self.decoder = nn.ModuleList(Layer(m, count, f, decoder=True) for _ in range(depth))
            self.decoder_norm = nn.LayerNorm(m)
        self.name = name

    def forward(self, inputs: Tensor) -> Tensor:
        """Map pairs (N, 2, L), source and translation so far, to logits (N, V, L) of the translation's next symbols."""
        length = inputs.shape[2]
        vectors = self.embedding(inputs) * math.sqrt(self.embedding.embedding_dim)
        vectors = vectors + positions(length, vectors)
        source, x = vectors[:, 0], vectors[:, 1]
        filling = (inputs[:, 0] == 0)[:, None, :]
        future = torch.ones(1, length, length, dtype=torch.bool, device=inputs.device).triu(1)
        for layer in self.encoder:
            source = layer(source, filling)
        source = self.encoder_norm(source)
        for layer in self.decoder:
            x = layer(x, future, source, filling)
        return functional.linear(self.decoder_norm(x), self.embedding.weight).transpose(1, 2)


def positions(length: int, like: Tensor) -> Tensor:
    """Give the sines and cosines of each position, shape (length, m), of the type of `like` (..., m)."""
    half = like.shape[-1] // 2
    rates = torch.exp(torch.arange(half, dtype=like.dtype, device=like.device) * (-math.log(10_000.0) / half))
    angles = torch.arange(length, dtype=like.dtype, device=like.device)[:, None] * rates
    return torch.cat((angles.sin(), angles.cos()), 1)

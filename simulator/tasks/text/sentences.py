"""Made-up sentences in two made-up languages: what language models and translators learn where there is no data.

A sentence is (article, adjective, noun, verb, article, adjective, noun). The second language has its own words, puts
the adjective behind the noun and the verb at the end, so that a translator must learn a dictionary and an order.
"""

from __future__ import annotations

import torch

from algorithms.streams import Stream
from simulator.tasks.text.corpus import Pairs
from simulator.tasks.validation import whole

ARTICLES = (("the", "da"), ("a", "un"), ("every", "jeda"))
ADJECTIVES = (
    ("small", "mini"), ("old", "alto"), ("red", "roto"), ("quiet", "stilo"), ("young", "juno"), ("tired", "mudo"),
    ("clever", "klugo"), ("green", "gruno"), ("strange", "seltso"), ("happy", "frojo"),
)  # fmt: skip
NOUNS = (
    ("cat", "katza"), ("house", "hausa"), ("river", "flusa"), ("teacher", "lehra"), ("dog", "hunda"),
    ("child", "kinda"), ("bird", "voga"), ("garden", "garta"), ("letter", "briefa"), ("stone", "steina"),
    ("friend", "freunda"), ("moon", "monda"), ("tree", "bauma"), ("king", "kona"),
)  # fmt: skip
VERBS = (
    ("sees", "sehi"), ("finds", "findi"), ("loves", "libi"), ("follows", "folgi"), ("paints", "mali"),
    ("forgets", "vergi"), ("carries", "tragi"), ("hears", "hori"),
)  # fmt: skip
SLOTS = (ARTICLES, ADJECTIVES, NOUNS, VERBS, ARTICLES, ADJECTIVES, NOUNS)
SECOND_ORDER = (0, 2, 1, 4, 6, 5, 3)


def pairs(stream: Stream, count: int) -> Pairs:
    """Draw `count` sentences with their translations."""
    high = torch.tensor([len(slot) for slot in SLOTS])
    # one row per slot, one column per sentence
    chosen = stream.integers(torch.arange(len(SLOTS)), count, high).T.tolist()
    found = []
    for numbers in chosen:
        entries = [slot[number] for slot, number in zip(SLOTS, numbers, strict=True)]
        second = " ".join(entries[i][1] for i in SECOND_ORDER)
        found.append((" ".join(first for first, _ in entries) + ".", second + "."))
    return found


class MadeUpText:
    """Running text of made-up sentences, one a line, the same in every run.

    Parameters
    ----------
    train, test : int
        Sentences.
    """

    def __init__(self, *, train: int = 2000, test: int = 200) -> None:
        self.train, self.test = whole("task.corpus.train", train, 1), whole("task.corpus.test", test, 1)

    def load(self) -> tuple[str, str]:
        """Draw the training and the test text."""
        train, test = MadeUpPairs(train=self.train, test=self.test).load()
        return "".join(f"{first}\n" for first, _ in train), "".join(f"{first}\n" for first, _ in test)


class MadeUpPairs:
    """Made-up sentences and their translations, the same in every run.

    Parameters
    ----------
    train, test : int
        Sentence pairs.
    """

    def __init__(self, *, train: int = 2000, test: int = 200) -> None:
        self.train, self.test = whole("task.corpus.train", train, 1), whole("task.corpus.test", test, 1)

    def load(self) -> tuple[Pairs, Pairs]:
        """Draw the training and the test pairs."""
        stream = Stream("sentences")
        return pairs(stream.at("train"), self.train), pairs(stream.at("test"), self.test)

"""BLEU of translations, as sacrebleu counts it."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence


def require_sacrebleu(sentences: int) -> None:
    """Raise ValueError if the optional package is not installed, saying how to do without."""
    if importlib.util.find_spec("sacrebleu") is None:
        raise ValueError(
            f"task.bleu_sentences: expected 0, as the package sacrebleu is not installed "
            f"(pip install 'bitclock[translation]'), got {sentences}"
        )


def bleu(translations: Sequence[str], references: Sequence[str]) -> float:
    """Give the corpus BLEU, 0..100, of plain (detokenised) translations with one reference each.

    References
    ----------
    Post, "A call for clarity in reporting BLEU scores", WMT 2018 (tokenisation 13a, smoothing 'exp', case kept).
    """
    import sacrebleu  # optional, so late

    return float(sacrebleu.corpus_bleu(list(translations), [list(references)]).score)

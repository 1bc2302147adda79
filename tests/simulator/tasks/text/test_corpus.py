import gzip
import os
from pathlib import Path

import pytest

from simulator.tasks.text.corpus import ParallelFiles, TextFile
from simulator.tasks.text.sentences import ADJECTIVES, NOUNS, SLOTS, MadeUpPairs, MadeUpText
from simulator.tasks.text.vocabulary import Vocabulary, characters, words

DATA = os.environ.get("BITCLOCK_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="BITCLOCK_DATA names no folder of data")


def test_the_end_of_one_file_is_the_test_text(tmp_path):
    (tmp_path / "text").write_text("abcdefghij", encoding="utf-8")
    assert TextFile(train=str(tmp_path / "text"), test_share=0.3).load() == ("abcdefg", "hij")
    (tmp_path / "other.gz").write_bytes(gzip.compress("ä\r\nö".encode()))
    assert TextFile(train=str(tmp_path / "text"), test=str(tmp_path / "other.gz")).load() == ("abcdefghij", "ä\nö")


def test_pairs_are_aligned_by_line_and_empty_ones_left_out(tmp_path):
    sides = {"train_source": "a b\n\nc\n", "train_target": "x\ny\nz z\n", "test_source": "d", "test_target": "w\n"}
    for name, text in sides.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    files = ParallelFiles(**{name: str(tmp_path / name) for name in sides})
    assert files.load() == ([("a b", "x"), ("c", "z z")], [("d", "w")])
    (tmp_path / "train_target").write_text("x\ny\n", encoding="utf-8")
    with pytest.raises(ValueError, match="task.corpus.train_target: expected 3 lines as in .*, got 2"):
        files.load()


def test_absent_and_damaged_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="task.corpus.train: expected the path of a text file, got null"):
        TextFile().load()
    with pytest.raises(FileNotFoundError, match="task.corpus.train_source: expected the path"):
        ParallelFiles().load()
    with pytest.raises(FileNotFoundError, match="task.corpus.train: expected a text file, got no such file"):
        TextFile(train=str(tmp_path / "nowhere")).load()
    for content in (b"\xff\xfe\xfd", gzip.compress(b"text")[:-4]):
        (tmp_path / "text").write_bytes(content)
        with pytest.raises(ValueError, match="task.corpus.train: expected whole UTF-8 text"):
            TextFile(train=str(tmp_path / "text")).load()


@pytest.mark.parametrize("share", [0, 1, 1.5, "half", None])
def test_bad_shares_are_named(share):
    with pytest.raises(ValueError, match="task.corpus.test_share: expected"):
        TextFile(test_share=share)


def test_units_by_hand():
    assert characters("a b\n") == ["a", " ", "b", "\n"]
    assert words("the  cat\nsat\n") == ["the", "cat", "<eos>", "sat", "<eos>"]


def test_the_most_frequent_symbols_get_numbers():
    # b three times, a and c twice (a came first), d once
    vocabulary = Vocabulary.of("bacbcabd", 4)
    assert vocabulary.symbols == ("<unk>", "b", "a", "c")
    assert vocabulary.encode(list("abcdz")).tolist() == [2, 1, 3, 0, 0]
    assert Vocabulary.of("ab", 10).symbols == ("<unk>", "a", "b")
    # a text that has its rare words replaced already, as copies of the Penn Treebank do
    assert Vocabulary.of(["<unk>", "<unk>", "x", "y"], 3).symbols == ("<unk>", "x", "y")


def test_made_up_sentences_are_translations_of_each_other():
    (train, test), (again, _) = MadeUpPairs(train=50, test=20).load(), MadeUpPairs(train=80, test=1).load()
    assert train == again[:50] and len(test) == 20 and test != train[:20]
    dictionary = dict(entry for slot in SLOTS for entry in slot)
    for first, second in train:
        article, adjective, noun, verb, article2, adjective2, noun2 = (dictionary[w] for w in first[:-1].split())
        assert second == f"{article} {noun} {adjective} {article2} {noun2} {adjective2} {verb}."
    assert {first.split()[1] for first, _ in again} == {adjective for adjective, _ in ADJECTIVES}
    assert {first.split()[2] for first, _ in again} == {noun for noun, _ in NOUNS}


def test_made_up_text_is_one_sentence_a_line():
    train, test = MadeUpText(train=3, test=2).load()
    pairs, _ = MadeUpPairs(train=3, test=2).load()
    assert train.splitlines() == [first for first, _ in pairs] and test.count("\n") == 2
    with pytest.raises(ValueError, match="task.corpus.train: expected an integer of at least 1, got 0"):
        MadeUpText(train=0)


@needs_data
def test_real_text():
    train, test = TextFile(train=str(Path(DATA) / "tinyshakespeare" / "input.txt.gz")).load()
    assert len(train) + len(test) == 1_115_394 and len(set(train + test)) == 65
    assert Vocabulary.of(train, 128).symbols[1] == " "

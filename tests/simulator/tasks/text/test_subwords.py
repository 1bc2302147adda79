import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.tasks.text.subwords import BLANK, SPECIAL, Subwords, merged, pieces

# Sennrich et al., algorithm 1: low 5, lower 2, newest 6, widest 3 times
LOW = ["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3


def test_the_papers_example_by_hand():
    # blank-marked words; counts: es 9, st 9, we 8, then lo 7, ow 7, _l 7: of equals the first in the alphabet
    learned = Subwords.learn(LOW, len(SPECIAL) + 11 + 4)
    assert set("lowernstid") | {BLANK} == set(learned.symbols[4:15])
    assert learned.merges == (("e", "s"), ("es", "t"), ("l", "o"), ("lo", "w"))
    assert [learned.symbols[n] for n in learned.encode("lowest")] == [BLANK, "low", "est"]


def test_a_text_comes_back_joined():
    learned = Subwords.learn(LOW, 40)
    text = "lower, low  -  lowest!"
    assert learned.decode(Subwords.learn([*LOW, text], 60).encode("low")) is not None
    everything = Subwords.learn([text, *LOW], 60)
    assert everything.decode(everything.encode(text)) == "lower, low - lowest!"


@given(st.text(alphabet="ab. ,", max_size=30), st.integers(0, 12))
def test_encoding_loses_nothing_but_extra_blanks(text, more):
    learned = Subwords.learn(["ab ab. a, b ba,, .a"], len(SPECIAL) + 5 + more)
    assert learned.decode(learned.encode(text)) == " ".join(text.split())
    assert all(len(SPECIAL) <= number < len(learned.symbols) for number in learned.encode(text))


def slow_merges(texts: list[str], room: int) -> list[tuple[str, str]]:
    """The algorithm as the paper prints it: count everything again for each merge."""
    words, found = [list(piece) for text in texts for piece in pieces(text)], []
    while len({a + b for a, b in found}) < room:
        count: dict[tuple[str, str], int] = {}
        for parts in words:
            for pair in zip(parts, parts[1:], strict=False):
                count[pair] = count.get(pair, 0) + 1
        best = min(count, key=lambda pair: (-count[pair], pair), default=None)
        if best is None or count[best] < 2:
            break
        words = [merged(parts, best) for parts in words]
        found.append(best)
    return found


@given(st.lists(st.text(alphabet="abc ", max_size=12), min_size=1, max_size=6))
def test_counting_only_what_changed_is_counting_everything(texts):
    characters = {c for text in texts for piece in pieces(text) for c in piece}
    learned = Subwords.learn(texts, len(SPECIAL) + len(characters) + 8)
    assert list(learned.merges) == slow_merges(texts, 8)


def test_pieces_are_words_and_marks_with_the_blank_before():
    assert pieces("a dog's 3.5 \n ...") == [f"{BLANK}a", f"{BLANK}dog", "'", "s", f"{BLANK}3", ".", "5", f"{BLANK}..."]


def test_unknown_characters_become_a_question_mark():
    learned = Subwords.learn(["ab"], 10)
    assert learned.decode(learned.encode("azb")) == "a?b"
    assert learned.decode([0, 1, *learned.encode("ab"), 2]) == "ab"


def test_a_merge_in_a_run_goes_from_the_left():
    assert merged(list("aaab"), ("a", "a")) == ["aa", "a", "b"]


def test_room_for_the_characters_is_needed():
    with pytest.raises(ValueError, match="task.vocabulary: expected at least 7, the characters' number, got 6"):
        Subwords.learn(["ab"], 6)


def test_a_small_text_does_not_fill_the_vocabulary():
    assert len(Subwords.learn(["abc"], 1000).symbols) == len(SPECIAL) + 4

"""The forms of values by the number that names them in a message header."""

from __future__ import annotations

from algorithms.payloads.centred_values import CentredValues
from algorithms.payloads.grouped_values import GroupedValues
from algorithms.payloads.marks import Marks
from algorithms.payloads.quantised_values import QuantisedValues
from algorithms.payloads.sign_values import SharedValues, SignValues
from algorithms.payloads.values import FloatValues, Values

_FORMS: dict[int, type[Values]] = {
    **dict.fromkeys(range(4), FloatValues),
    **dict.fromkeys((16, 17), SignValues),
    18: SharedValues,
    19: QuantisedValues,
    24: CentredValues,
    25: GroupedValues,
    26: Marks,
}


def form_of(number: int) -> type[Values]:
    """Find a form of values; raises ValueError for a number that is none."""
    if number not in _FORMS:
        raise ValueError(f"message: expected a form of values among {sorted(_FORMS)}, got {number}")
    return _FORMS[number]

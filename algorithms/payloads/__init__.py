"""What travels: immutable batches of w messages that know their size because they can be written."""

from algorithms.payloads.bits import Bits
from algorithms.payloads.bundle import Bundle
from algorithms.payloads.centred_values import CentredValues
from algorithms.payloads.concat import Concat
from algorithms.payloads.dense import Dense
from algorithms.payloads.full import Full
from algorithms.payloads.grouped_values import GroupedValues
from algorithms.payloads.marks import Marks
from algorithms.payloads.message import decode
from algorithms.payloads.payload import Payload
from algorithms.payloads.quantised import Quantised
from algorithms.payloads.quantised_values import QuantisedValues
from algorithms.payloads.sign_values import SharedValues, SignValues
from algorithms.payloads.signs import Signs
from algorithms.payloads.sketch import Sketch
from algorithms.payloads.sparse import Sparse
from algorithms.payloads.summable import Summable
from algorithms.payloads.values import FloatValues, Values

__all__ = [
    "Bits",
    "Bundle",
    "CentredValues",
    "Concat",
    "Dense",
    "FloatValues",
    "Full",
    "GroupedValues",
    "Marks",
    "Payload",
    "Quantised",
    "QuantisedValues",
    "SharedValues",
    "SignValues",
    "Signs",
    "Sketch",
    "Sparse",
    "Summable",
    "Values",
    "decode",
]

"""Codes: how integers become bits, and how many bits that takes (counted in closed form, without encoding).

Bits are written most significant first. A message's bits live in a uint8 array of zeros and ones until they are packed.
"""

from algorithms.codecs.blocks import expected_block_bits
from algorithms.codecs.entropy import log2_binomial
from algorithms.codecs.indices import INDEX_CODES, IndexCode, Supports, cheapest, index_code, index_code_name
from algorithms.codecs.level_counts import LevelCounts
from algorithms.codecs.levels import LEVEL_CODES, level_bits, read_levels, write_levels
from algorithms.codecs.ragged import Ragged
from algorithms.codecs.rice import best_parameters, expected_rice_bits, rice_parameter

__all__ = [
    "INDEX_CODES",
    "LEVEL_CODES",
    "IndexCode",
    "LevelCounts",
    "Ragged",
    "Supports",
    "best_parameters",
    "cheapest",
    "expected_block_bits",
    "expected_rice_bits",
    "index_code",
    "index_code_name",
    "level_bits",
    "log2_binomial",
    "read_levels",
    "rice_parameter",
    "write_levels",
]

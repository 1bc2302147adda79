"""Where named tensors lie in the flat vector."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from algorithms.layout import Layout


def test_layout_of_a_module() -> None:
    module = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1, bias=False))
    layout = Layout.of(module)
    assert layout.names == ("0.weight", "0.bias", "2.weight") and layout.shapes == ((2, 3), (2,), (1, 2))
    assert layout.size == 10 and layout.slices == (slice(0, 6), slice(6, 8), slice(8, 10))
    flat = torch.nn.utils.parameters_to_vector(module.parameters()).detach()
    for view, parameter in zip(layout.views(flat), module.parameters(), strict=True):
        assert torch.equal(view, parameter.detach())


def test_views_share_memory_and_keep_leading_axes() -> None:
    layout = Layout(("a", "b"), ((2, 2), ()))
    flat = torch.arange(15.0).view(3, 5)
    a, b = layout.views(flat)
    assert a.shape == (3, 2, 2) and b.tolist() == [4, 9, 14]
    a[0, 1, 1] = -1
    assert float(flat[0, 3]) == -1


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="flat: expected 4 coordinates in the last axis, got 3"):
        Layout.flat(4).views(torch.zeros(2, 3))

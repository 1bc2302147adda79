"""The residual networks, tensor by tensor as far as their papers' numbers tell."""

from math import prod
from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from algorithms.layout import Layout
from simulator.tasks.models import CifarResNet, ResNet9, ResNet50

CONF = Path(__file__).resolve().parents[3] / "conf" / "model"
# conv 3 x 3 counts 9 weights per pair of channels; every convolution brings 2 parameters per output channel
SIZES = {
    "mlp_4096": 785 * 4096 + 2 * 4097 * 4096 + 4097 * 10,
    "resnet18": 11_173_962,
    "resnet34": 21_282_122,
    "resnet20": 269_722,
    "resnet32": 464_154,
    "resnet9": 6_573_120,
    "resnet50": 25_557_032,
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes(name):
    model = instantiate(OmegaConf.load(CONF / f"{name}.yaml"), _convert_="all")
    assert Layout.of(model).size == SIZES[name] and model.name == name


def test_the_mlp_has_the_size_of_gradient_droppings():
    assert SIZES["mlp_4096"] == 36_818_954


@pytest.mark.parametrize("norm", ["group", "batch"])
def test_the_norm_does_not_change_the_size(norm):
    sizes = {type(m).__name__: Layout.of(m).size for m in (CifarResNet(norm=norm), ResNet9(norm=norm))}
    assert sizes == {"CifarResNet": 11_173_962, "ResNet9": 6_573_120}


def test_resnet50_has_161_tensors_of_which_qsparse_keeps_99400():
    # k_t = min(1000, d_t) of every tensor: the k that Qsparse-local-SGD quotes for ImageNet
    layout = Layout.of(ResNet50())
    assert len(layout.names) == 161
    assert sum(min(1000, prod(shape)) for shape in layout.shapes) == 99_400
    assert layout.shapes[0] == (64, 3, 7, 7) and layout.shapes[-2:] == ((1000, 2048), (1000,))


def test_resnet9_is_the_dawnbench_one():
    convolutions = [tuple(p.shape[:2]) for p in ResNet9().parameters() if p.dim() == 4]
    halves = [(64, 3), (128, 64), (128, 128), (128, 128), (256, 128), (512, 256), (512, 512), (512, 512)]
    assert convolutions == halves
    assert sum(9 * a * b for a, b in halves) + 2 * sum(a for a, _ in halves) + 5120 == 6_573_120


def test_depth_counts_weighted_layers():
    # the 20 of ResNet-20: a stem, nine blocks of two, a head
    model = CifarResNet(blocks=(3, 3, 3), widths=(16, 32, 64), shortcut="pad")
    assert sum(isinstance(layer, nn.Conv2d | nn.Linear) for layer in model.modules()) == 20


def test_the_padded_shortcut_keeps_every_other_pixel_between_zeros():
    model = CifarResNet(blocks=(1, 1), widths=(4, 8), shortcut="pad")
    x = torch.arange(1.0, 65.0).view(1, 4, 4, 4)
    y = model.blocks[1].shortcut(x)
    assert y.shape == (1, 8, 2, 2)
    assert torch.equal(y[:, 2:6], x[:, :, ::2, ::2]) and float(y[:, :2].abs().sum() + y[:, 6:].abs().sum()) == 0


@pytest.mark.parametrize("model", [CifarResNet(widths=(4, 8, 16, 32)), ResNet9(width=4), ResNet50(norm="group")])
def test_one_row_of_logits_per_image(model):
    images = torch.rand(2, 3, 32, 32)
    logits = model(images)
    assert logits.shape == (2, 1000 if isinstance(model, ResNet50) else 10)
    assert torch.allclose(model(images[:1]), logits[:1], atol=1e-5)  # GroupNorm leaves samples unmixed


def test_batch_norm_mixes_samples_and_keeps_no_state():
    model, images = ResNet9(width=4, norm="batch"), torch.rand(4, 3, 32, 32)
    assert list(model.buffers()) == []
    assert not torch.allclose(model(images[:2]), model(images)[:2])
    assert torch.equal(model.eval()(images), model.train()(images))


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: CifarResNet(norm="layer"), "model.norm: expected one of group, batch, got 'layer'"),
        (lambda: CifarResNet(shortcut="none"), "model.shortcut: expected one of projection, pad, got 'none'"),
        (lambda: CifarResNet(blocks=(1, 1)), "model.widths: expected one for each of 2 stages"),
        (lambda: CifarResNet(blocks=(), widths=()), "model.widths: expected one for each of 0 stages"),
        (lambda: CifarResNet(blocks=(1, 0), widths=(4, 8)), "model.blocks: expected an integer of at least 1, got 0"),
        (lambda: CifarResNet(blocks=(1, 1), widths=(8, 4)), "model.widths: expected widths that do not shrink"),
        (lambda: ResNet9(width=20), "expected groups of 16 channels for norm=group, got 20"),
        (lambda: ResNet9(width=0), "model.width: expected an integer of at least 1, got 0"),
        (lambda: ResNet50(classes=0), "model.classes: expected an integer of at least 1, got 0"),
    ],
)
def test_bad_input_is_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()

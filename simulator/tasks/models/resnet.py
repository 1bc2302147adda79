"""Residual networks for images of 32 x 32: a 3 x 3 stem, then stages of two-convolution blocks.

With widths 64-128-256-512 and projections this is the CIFAR ResNet-18 or 34 of the SGD literature, with 16-32-64 and
parameter-free shortcuts the ResNet-20 or 32 of the original paper. Convolutions have no bias, as normalisation follows.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from simulator.tasks.models.initial import private_generator
from simulator.tasks.models.normalisation import normalisation
from simulator.tasks.validation import whole

SHORTCUTS = ("projection", "pad")


class Pad(nn.Module):
    """Skip every other pixel and add channels of zeros, half on each side: a shortcut without parameters."""

    def __init__(self, more: int, stride: int) -> None:
        super().__init__()
        self.before, self.after, self.stride = more // 2, more - more // 2, stride

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C + more, H / stride, W / stride)."""
        return functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.after))


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: str, shortcut: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = normalisation(norm, outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = normalisation(norm, outputs)
        self.shortcut: nn.Module = nn.Identity()
        if (stride, inputs) != (1, outputs):
            self.shortcut = Pad(outputs - inputs, stride)
            if shortcut == "projection":
                projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
                self.shortcut = nn.Sequential(projection, normalisation(norm, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y = self.norm2(self.conv2(functional.relu(self.norm1(self.conv1(x)))))
        return functional.relu(y + self.shortcut(x))


class CifarResNet(nn.Module):
    """A residual network for images of 3 x 32 x 32.

    Parameters
    ----------
    blocks : sequence of int
        Blocks in each stage; every stage but the first halves the image.
    widths : sequence of int
        Channels of each stage.
    shortcut : str
        Where a block changes the shape: 'projection' (1 x 1 convolution and normalisation) or 'pad' (no parameters).
    norm : str
        See `normalisation`; the number of parameters is the same for both.
    classes : int
        Logits.
    name : str
        What records call it.

    Raises
    ------
    ValueError
        If there is not one width for each stage, a number is below 1, widths shrink, or a choice is unknown.

    Notes
    -----
    d with 10 classes: 11,173,962 (ResNet-18: 2-2-2-2), 21,282,122 (ResNet-34: 3-4-6-3), 269,722 (ResNet-20: 3-3-3 of
    16-32-64, 'pad') and 464,154 (ResNet-32: 5-5-5). Differs from the papers in the initial weights (PyTorch's default).

    References
    ----------
    He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, section 4.2 (option A is 'pad',
    option B 'projection').
    """

    def __init__(
        self,
        *,
        blocks: Sequence[int] = (2, 2, 2, 2),
        widths: Sequence[int] = (64, 128, 256, 512),
        shortcut: str = "projection",
        norm: str = "group",
        classes: int = 10,
        name: str = "resnet18",
    ) -> None:
        super().__init__()
        if len(blocks) == 0 or len(blocks) != len(widths):
            raise ValueError(f"model.widths: expected one for each of {len(blocks)} stages, at least one, got {widths}")
        if shortcut not in SHORTCUTS:
            raise ValueError(f"model.shortcut: expected one of {', '.join(SHORTCUTS)}, got {shortcut!r}")
        sizes = [whole("model.widths", width, 1) for width in widths]
        if sizes != sorted(sizes):
            raise ValueError(f"model.widths: expected widths that do not shrink, got {list(widths)}")
        layers: list[nn.Module] = []
        with private_generator():
            self.stem = nn.Conv2d(3, sizes[0], 3, 1, 1, bias=False)
            self.norm = normalisation(norm, sizes[0])
            inputs = sizes[0]
            for stage, (count, outputs) in enumerate(zip(blocks, sizes, strict=True)):
                for number in range(whole("model.blocks", count, 1)):
                    stride = 2 if stage > 0 and number == 0 else 1
                    layers.append(Block(inputs, outputs, stride, norm, shortcut))
                    inputs = outputs
            self.blocks = nn.Sequential(*layers)
            self.head = nn.Linear(inputs, whole("model.classes", classes, 1))
        self.name = name

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to logits (N, classes)."""
        x = self.blocks(functional.relu(self.norm(self.stem(x))))
        return self.head(x.mean((2, 3)))

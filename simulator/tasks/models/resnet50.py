"""ResNet-50 for ImageNet, tensor by tensor the one of torchvision: 161 tensors, d = 25,557,032."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from simulator.tasks.models.initial import private_generator
from simulator.tasks.models.normalisation import normalisation
from simulator.tasks.validation import whole

EXPANSION = 4


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 (which carries the stride) and 1 x 1 convolutions beside a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int, norm: str) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.norm1 = normalisation(norm, width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.norm2 = normalisation(norm, width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.norm3 = normalisation(norm, outputs)
        self.shortcut: nn.Module = nn.Identity()
        if (stride, inputs) != (1, outputs):
            projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, normalisation(norm, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, 4 * width, H / stride, W / stride)."""
        y = functional.relu(self.norm1(self.conv1(x)))
        y = functional.relu(self.norm2(self.conv2(y)))
        return functional.relu(self.norm3(self.conv3(y)) + self.shortcut(x))


class ResNet50(nn.Module):
    """The 50-layer residual network for images of 3 x 224 x 224.

    Parameters
    ----------
    norm : str
        See `normalisation`; the papers' is 'batch'.
    classes : int
        Logits.
    name : str
        What records call it.

    References
    ----------
    He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, table 1; the stride stands in the
    3 x 3 convolution as in torchvision's, which changes no tensor's shape.
    """

    def __init__(self, *, norm: str = "batch", classes: int = 1000, name: str = "resnet50") -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 64
        with private_generator():
            self.stem = nn.Conv2d(3, inputs, 7, 2, 3, bias=False)
            self.norm = normalisation(norm, inputs)
            for stage, count in enumerate((3, 4, 6, 3)):
                width = 64 << stage
                for number in range(count):
                    layers.append(Bottleneck(inputs, width, 2 if stage > 0 and number == 0 else 1, norm))
                    inputs = EXPANSION * width
            self.blocks = nn.Sequential(*layers)
            self.head = nn.Linear(inputs, whole("model.classes", classes, 1))
        self.name = name

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to logits (N, classes)."""
        x = functional.max_pool2d(functional.relu(self.norm(self.stem(x))), 3, 2, 1)
        return self.head(self.blocks(x).mean((2, 3)))

"""Classifiers made of dense layers: multi-layer perceptrons and softmax regression."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from simulator.tasks.models.initial import private_generator
from simulator.tasks.validation import whole


class Mlp(nn.Sequential):
    """A multi-layer perceptron with ReLU between its layers.

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden units, ..., classes. The default 784-300-100-10 has d = 266,610.
    name : str
        What records call it.

    Raises
    ------
    ValueError
        If there are fewer than two widths or one is below 1.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 1998
    (LeNet-300-100); Aji, Heafield, "Sparse communication for distributed gradient descent", EMNLP 2017, section 4
    (784-4096-4096-4096-10, d = 36,818,954).
    """

    def __init__(self, *, widths: Sequence[int] = (784, 300, 100, 10), name: str = "mlp") -> None:
        if isinstance(widths, str) or not isinstance(widths, Sequence) or len(widths) < 2:
            raise ValueError(f"model.widths: expected at least two widths (inputs, ..., classes), got {widths!r}")
        sizes = [whole("model.widths", width, 1) for width in widths]
        layers: list[nn.Module] = [nn.Flatten()]
        with private_generator(0):
            for inputs, outputs in zip(sizes, sizes[1:], strict=False):
                layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        super().__init__(*layers[:-1])
        self.name = name


class Softmax(Mlp):
    """Softmax regression: one linear layer. The default has d = 7,850.

    Parameters
    ----------
    inputs, classes : int
        Its two widths.
    name : str
        What records call it.
    """

    def __init__(self, *, inputs: int = 784, classes: int = 10, name: str = "softmax") -> None:
        super().__init__(widths=(whole("model.inputs", inputs, 1), whole("model.classes", classes, 1)), name=name)

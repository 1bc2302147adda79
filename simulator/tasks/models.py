"""Image classifiers made of plain layers: softmax regression, multi-layer perceptrons, LeNet5-Caffe.

Each is an `nn.Sequential`, so code that wants to know the layers (gradient methods, per-tensor compressors) can walk
them. Building one leaves the global random generator alone; the weights of a run come from `initial_vector`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from algorithms.streams import Stream
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
    (LeNet-300-100).
    """

    def __init__(self, *, widths: Sequence[int] = (784, 300, 100, 10), name: str = "mlp") -> None:
        if isinstance(widths, str) or not isinstance(widths, Sequence) or len(widths) < 2:
            raise ValueError(f"model.widths: expected at least two widths (inputs, ..., classes), got {widths!r}")
        sizes = [whole("model.widths", width, 1) for width in widths]
        layers: list[nn.Module] = [nn.Flatten()]
        with _private_generator(0):
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


class LeNet5(nn.Sequential):
    """LeNet5 as Caffe ships it, for images of 1 x 28 x 28: 20-50-500-10, d = 431,080.

    Notes
    -----
    As in Caffe's ``lenet.prototxt`` the only nonlinearity besides the max-pooling is one ReLU after the first dense
    layer. Differs from it in the initial weights (PyTorch's default rather than Xavier's).

    References
    ----------
    Jia et al., "Caffe: convolutional architecture for fast feature embedding", 2014, ``examples/mnist/lenet.prototxt``.
    """

    def __init__(self, *, name: str = "lenet5") -> None:
        with _private_generator(0):
            super().__init__(
                nn.Conv2d(1, 20, 5),
                nn.MaxPool2d(2),
                nn.Conv2d(20, 50, 5),
                nn.MaxPool2d(2),
                nn.Flatten(),
                nn.Linear(800, 500),
                nn.ReLU(),
                nn.Linear(500, 10),
            )
        self.name = name


def initial_vector(module: nn.Module, seed: int) -> Tensor:
    """Draw the flat vector of a model's initial weights.

    Every layer's own `reset_parameters` runs on the CPU in float32 under a private generator, so that the numbers are
    the same whatever the device, the type and whatever else draws random numbers.

    Parameters
    ----------
    module : nn.Module
        Any model; it is not changed. A parameter whose owner has no `reset_parameters` keeps its value.
    seed : int
        The run's seed.

    Returns
    -------
    Tensor, shape (d,), float32
        In the order of `Layout.of(module)`.
    """
    fresh = copy.deepcopy(module).to("cpu", torch.float32)
    with _private_generator(int(Stream(seed, "initial").bits(torch.zeros(1, dtype=torch.int64), 1)) & 0xFFFFFFFF):
        for layer in fresh.modules():
            reset = getattr(layer, "reset_parameters", None)
            if callable(reset):
                reset()
    return torch.cat([parameter.detach().flatten() for parameter in fresh.parameters()])


@contextmanager
def _private_generator(seed: int) -> Iterator[None]:
    # fork_rng keeps the caller's state; torch.manual_seed would touch every device's generator, so seed only the CPU's
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield

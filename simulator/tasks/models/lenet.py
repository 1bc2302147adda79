"""LeNet5-Caffe."""

from __future__ import annotations

from torch import nn

from simulator.tasks.models.initial import private_generator


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
        with private_generator(0):
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

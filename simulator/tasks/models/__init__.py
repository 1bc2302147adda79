"""Models. Building one leaves the global random generator alone; the weights of a run come from `initial_vector`.

Chains of plain layers are an `nn.Sequential`, so code that wants to know the layers (gradient methods) can walk them.
"""

from simulator.tasks.models.attention import AttentionTranslator
from simulator.tasks.models.cnn import Cnn
from simulator.tasks.models.dense import Mlp, Softmax
from simulator.tasks.models.initial import initial_vector
from simulator.tasks.models.lenet import LeNet5
from simulator.tasks.models.lstm import LstmLanguageModel
from simulator.tasks.models.resnet import CifarResNet
from simulator.tasks.models.resnet9 import ResNet9
from simulator.tasks.models.resnet50 import ResNet50
from simulator.tasks.models.transformer import Transformer

__all__ = [
    "AttentionTranslator",
    "CifarResNet",
    "Cnn",
    "LeNet5",
    "LstmLanguageModel",
    "Mlp",
    "ResNet50",
    "ResNet9",
    "Softmax",
    "Transformer",
    "initial_vector",
]

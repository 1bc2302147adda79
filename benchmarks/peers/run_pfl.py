"""pfl: federated averaging by its simulated backend, without privacy or compression."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from pfl.aggregate.simulate import SimulatedBackend
from pfl.algorithm.base import NNAlgorithmParams
from pfl.algorithm.federated_averaging import FederatedAveraging
from pfl.callback.base import TrainingProcessCallback
from pfl.data.federated_dataset import FederatedDataset
from pfl.data.pytorch import PyTorchTensorDataset
from pfl.data.sampling import get_user_sampler
from pfl.hyperparam.base import NNTrainHyperParams
from pfl.metrics import Metrics
from pfl.model.pytorch import PyTorchModel
from torch import Tensor, nn
from work import WARM, Meter, asked, network, samples


class Classifier(nn.Module):
    """A network with the two methods that pfl asks for."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def loss(self, inputs: Tensor, targets: Tensor, eval: bool = False) -> Tensor:
        """Give the mean loss of a batch."""
        return nn.functional.cross_entropy(self.module(inputs), targets)

    def metrics(self, inputs: Tensor, targets: Tensor, eval: bool = False) -> dict[str, Any]:
        """Evaluate nothing: only training is timed."""
        return {}


class Reading(TrainingProcessCallback):
    """Reads the meter after each round."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter

    def after_central_iteration(
        self, aggregate_metrics: Metrics, model: Any, *, central_iteration: int
    ) -> tuple[bool, Metrics]:
        """Go on."""
        self.meter.read()
        return False, Metrics()


def main() -> None:
    """Train and report."""
    name, rounds, clients, batch = asked()
    torch.manual_seed(0)
    np.random.seed(0)
    users = {client: PyTorchTensorDataset(samples(client, batch)) for client in range(clients)}
    dataset = FederatedDataset(users.__getitem__, get_user_sampler("minimize_reuse", list(users)))
    module = Classifier(network(name))
    model = PyTorchModel(module, torch.optim.SGD, torch.optim.SGD(module.parameters(), lr=1.0))
    # evaluated once, before the first round
    sizes = NNAlgorithmParams(rounds + WARM + 1, rounds + WARM + 2, train_cohort_size=clients, val_cohort_size=0)
    step = NNTrainHyperParams(local_num_epochs=None, local_num_steps=1, local_learning_rate=0.1, local_batch_size=batch)
    meter = Meter()
    backend = SimulatedBackend(training_data=dataset, val_data=dataset)
    FederatedAveraging().run(sizes, backend, model, step, callbacks=[Reading(meter)], send_metrics_to_platform=False)
    meter.report(module)


if __name__ == "__main__":
    main()

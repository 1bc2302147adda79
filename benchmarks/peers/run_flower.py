"""Flower: federated averaging by its simulation engine, two actors of Ray, one virtual node for each client."""

from __future__ import annotations

import torch
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation
from torch import nn
from work import WARM, Meter, asked, network, samples

ACTORS = 2
client_app, server_app = ClientApp(), ServerApp()
name, rounds, clients, batch = asked()


@client_app.train()
def train(message: Message, context: Context) -> Message:
    """Take one step on the client's batch."""
    torch.set_num_threads(1)
    module = network(name)
    module.load_state_dict(message.content["arrays"].to_torch_state_dict())
    inputs, targets = samples(int(context.node_config["partition-id"]), batch)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1)
    nn.functional.cross_entropy(module(inputs), targets).backward()
    optimiser.step()
    content = {"arrays": ArrayRecord(module.state_dict()), "metrics": MetricRecord({"num-examples": batch})}
    return Message(content=RecordDict(content), reply_to=message)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    """Train and report."""
    module, meter = network(name), Meter()
    strategy = FedAvg(fraction_train=1.0, fraction_evaluate=0.0, min_train_nodes=clients, min_available_nodes=clients)

    def evaluate(round_: int, arrays: ArrayRecord) -> MetricRecord:
        meter.read()  # nothing is evaluated: only training is timed
        return MetricRecord()

    strategy.start(
        grid=grid, initial_arrays=ArrayRecord(module.state_dict()), num_rounds=rounds + WARM, evaluate_fn=evaluate
    )
    meter.report(module)


if __name__ == "__main__":
    resources = {"client_resources": {"num_cpus": 1, "num_gpus": 0.0}, "init_args": {"num_cpus": ACTORS}}
    run_simulation(server_app, client_app, num_supernodes=clients, backend_config=resources)

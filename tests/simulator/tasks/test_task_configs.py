"""Every yaml of the groups task, model and partition builds what it names."""

from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from simulator.tasks.sources import FASHION_MNIST, MNIST, cache_folder

CONF = Path(__file__).resolve().parents[3] / "conf"
GROUPS = {
    group: sorted(path.stem for path in (CONF / group).glob("*.yaml")) for group in ("task", "model", "partition")
}
# Models that do not take the default task's images of 1 x 28 x 28, and the task on which each is tried.
TASK_OF = dict.fromkeys(("cnn", "resnet9", "resnet18", "resnet20", "resnet32", "resnet34"), "cifar10_mini")
TASK_OF |= {"char_lstm": "char_lm_mini", "word_lstm": "word_lm_mini"}
TASK_OF |= {"attention": "translation_mini", "transformer": "translation_mini"}
# No loader for ImageNet's 1,000 classes; too large for a test. Both are built in test_resnets.py.
UNTRIED = {"resnet50", "mlp_4096"}
# Small twins: every layer of the model, fewer numbers.
TWIN = {
    "attention": ["model.hidden=8", "model.embedding=4"],
    "transformer": ["model.width=8", "model.inner=8"],
    "char_lstm": ["model.hidden=8"],
    "word_lstm": ["model.hidden=8", "model.embedding=4"],
    "resnet9": ["model.width=4"],
    "resnet18": ["model.widths=[4,4,8,8]"],
    "resnet34": ["model.widths=[4,4,8,8]", "model.blocks=[1,1,1,1]"],
    "resnet20": ["model.widths=[4,8,8]"],
    "resnet32": ["model.widths=[4,8,8]", "model.blocks=[1,1,1]"],
}
SMALL_TASK = {"cifar10_mini": ["task.dataset.train=40", "task.dataset.test=20"]}
ABSENT = {"mnist": "simulator.tasks.download mnist", "cifar10": "cifar-10-python.tar.gz"}
ABSENT |= {"char_lm": "task.corpus.train: expected the path", "word_lm": "task.corpus.train: expected the path"}
ABSENT |= {"translation": "task.corpus.train_source: expected the path"}
SHARED = dict(workers=10, batch=4, seed=1, device="cpu", dtype="float32", gradient_method="auto")


def configured(**choice: str):
    """What Hydra composes: the chosen leaves under their group's names, beside the shared keys."""
    chosen = {"task": "fashion_mnist_mini", "model": "softmax", "partition": "iid"} | choice
    config = OmegaConf.create(
        SHARED | {group: OmegaConf.load(CONF / group / f"{name}.yaml") for group, name in chosen.items()}
    )
    config.merge_with_dotlist(TWIN.get(chosen["model"], []) + SMALL_TASK.get(chosen["task"], []))
    return config


def run_once(config) -> None:
    task = instantiate(config.task)
    out = torch.empty(10, task.layout.size)
    at = task.initial(1)
    assert bool(torch.isfinite(task.gradient(at, torch.arange(10), 0, out)).all())
    assert task.evaluate(at).loss > 0 and task.name == config.task.name


@pytest.mark.parametrize("group, name", [(group, name) for group, names in GROUPS.items() for name in names])
def test_every_leaf_has_a_target_and_its_own_name(group, name):
    leaf = OmegaConf.load(CONF / group / f"{name}.yaml")
    assert leaf.name == name and leaf["_target_"].startswith("simulator.tasks.")


@pytest.mark.parametrize("name", GROUPS["task"])
def test_every_task_runs(name, tmp_path, monkeypatch):
    model = next((model for model, task in TASK_OF.items() if task.startswith(name.split("_")[0])), "softmax")
    if name in ABSENT and not (name == "mnist" and MNIST.complete(cache_folder() / "mnist")):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        with pytest.raises(Exception, match=ABSENT[name]):
            instantiate(configured(task=name, model=model).task)
        return
    if name == "fashion_mnist" and not FASHION_MNIST.complete(FASHION_MNIST.package_folder):
        pytest.skip("the full Fashion-MNIST is not installed")
    run_once(configured(task=name, model=model))


@pytest.mark.parametrize("name", sorted(set(GROUPS["model"]) - UNTRIED))
def test_every_model_runs_on_its_task(name):
    run_once(configured(model=name, task=TASK_OF.get(name, "fashion_mnist_mini")))


@pytest.mark.parametrize("name", GROUPS["partition"])
def test_every_partition_runs_on_the_default_task(name):
    run_once(configured(partition=name))


def test_lists_and_numbers_can_be_overridden():
    config = configured(model="mlp", partition="dirichlet")
    config.merge_with_dotlist(["model.widths=[784,20,10]", "partition.alpha=5", "workers=3"])
    task = instantiate(config.task)
    assert task.layout.size == 785 * 20 + 21 * 10 and task.workers == 3

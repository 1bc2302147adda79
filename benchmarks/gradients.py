"""Time the gradients of w workers against one plain forward and backward pass over all their samples.

    python benchmarks/gradients.py --model lenet --workers 32 --batch 32 --chunk 8 --threads 2
    python benchmarks/gradients.py --model resnet20 --workers 8 --batch 8 --threads 1 --method loop --method taps

Every repetition times each variant once, one after the other, so that a busy neighbour slows all of them alike. The
ratios are of medians and of minima of the wall clock, and of medians of the process's CPU time (which a neighbour
disturbs least, but which says nothing about threads). 'plain' is the module as it is under autograd with one intra-op
thread, 'plain_2' with `--threads` of them; it yields one mean gradient, ours one per worker. 'layers_1' runs the chunks
in one Python thread, 'layers_2' in `--threads`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.results import give
from simulator.gradients import GradientEngine
from simulator.gradients.engine import METHODS
from simulator.tasks import models
from simulator.threads import ChunkPool, keep_memory, one_thread

# OpenMP's team keeps spinning for a while after 'plain_2' and would be billed to whoever runs next
_SETTLE_S = 0.05


def network(name: str) -> tuple[nn.Module, tuple[int, ...], int]:
    """Build a model of the measurements; give it with the shape of a sample and the number of classes or symbols.

    d: softmax 7,850, mlp 266,610, lenet 431,080, resnet20 269,722 (group norm), char_lstm 816,992, word_lstm 1,446,000,
    attention 1,250,792, transformer 1,063,936.
    """
    if name == "softmax":
        return models.Softmax(), (784,), 10
    if name == "mlp":
        return models.Mlp(), (784,), 10
    if name == "lenet":
        return models.LeNet5(), (1, 28, 28), 10
    if name == "resnet20":
        return models.CifarResNet(blocks=(3, 3, 3), widths=(16, 32, 64), shortcut="pad"), (3, 32, 32), 10
    if name == "char_lstm":
        return models.LstmLanguageModel(vocabulary=64, embedding=8, hidden=256), (20,), 64
    if name == "word_lstm":
        return models.LstmLanguageModel(vocabulary=2000, embedding=200, hidden=200), (20,), 2000
    if name == "attention":
        return models.AttentionTranslator(vocabulary=1000, embedding=128, hidden=128), (2, 20), 1000
    return models.Transformer(vocabulary=1000), (2, 20), 1000


MODELS = ("softmax", "mlp", "lenet", "resnet20", "char_lstm", "word_lstm", "attention", "transformer")


def data(shape: tuple[int, ...], classes: int, w: int, b: int) -> tuple[Tensor, Tensor]:
    """Draw inputs (w, B, *shape) and targets: images and one class each, or symbols and one symbol each."""
    if len(shape) == 3 or shape == (784,):
        return torch.rand(w, b, *shape), torch.randint(0, classes, (w, b))
    return torch.randint(1, classes, (w, b, *shape)), torch.randint(0, classes, (w, b, shape[-1]))


def plain(module: nn.Module, inputs: Tensor, targets: Tensor, threads: int) -> None:
    """Run one forward and backward pass over all samples."""
    torch.set_num_threads(threads)
    try:
        loss = nn.functional.cross_entropy(module(inputs), targets)
        torch.autograd.grad(loss, list(module.parameters()))
    finally:
        one_thread()


def variants(options: argparse.Namespace, pool: ChunkPool) -> dict[str, Callable[[], object]]:
    """Build what is timed."""
    torch.manual_seed(0)
    module, shape, classes = network(options.model)
    w, b, c = options.workers, options.batch, options.chunk
    inputs, targets = data(shape, classes, w, b)
    flat_inputs, flat_targets = inputs.flatten(0, 1), targets.flatten(0, 1)
    d = sum(p.numel() for p in module.parameters())
    slab = torch.zeros(w, d)
    shared = torch.cat([p.detach().flatten() for p in module.parameters()])
    at = shared.expand(w, d).contiguous() if options.rows else shared
    chunks = [slice(i, min(i + c, w)) for i in range(0, w, c)]
    todo: dict[str, Callable[[], object]] = {"plain": lambda: plain(module, flat_inputs, flat_targets, 1)}
    if options.threads > 1:
        todo[f"plain_{options.threads}"] = lambda: plain(module, flat_inputs, flat_targets, options.threads)
    for method in options.method:
        try:
            engine = GradientEngine(module, method=method)
        except ValueError as error:
            print(error)
            continue

        def chunk(rows: slice, engine: GradientEngine = engine) -> Tensor:
            return engine(at[rows] if options.rows else at, inputs[rows], targets[rows], slab[rows])

        todo[f"{method}_1"] = lambda chunk=chunk: [chunk(rows) for rows in chunks]  # type: ignore[misc]
        if options.threads > 1:
            todo[f"{method}_{options.threads}"] = lambda chunk=chunk: pool.map(chunk, chunks)  # type: ignore[misc]
    return todo


def measure(todo: dict[str, Callable[[], object]], repeats: int) -> dict[str, dict[str, float]]:
    """Time each variant once per repetition, after one warm-up of all, and divide by 'plain'."""
    wall: dict[str, list[float]] = {name: [] for name in todo}
    cpu: dict[str, list[float]] = {name: [] for name in todo}
    for repetition in range(repeats + 1):
        for name, run in todo.items():
            begun = time.perf_counter(), time.process_time()
            run()
            if repetition:
                wall[name].append(time.perf_counter() - begun[0])
                cpu[name].append(time.process_time() - begun[1])
            time.sleep(_SETTLE_S)
    middle = {name: statistics.median(values) for name, values in wall.items()}
    worked = {name: statistics.median(values) for name, values in cpu.items()}
    return {
        name: {
            "median_s": middle[name],
            "min_s": min(wall[name]),
            "cpu_s": worked[name],
            "median_ratio": middle[name] / middle["plain"],
            "min_ratio": min(wall[name]) / min(wall["plain"]),
            "cpu_ratio": worked[name] / worked["plain"],
        }
        for name in todo
    }


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, default="lenet")
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--chunk", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2, help="Python threads over chunks")
    parser.add_argument("--method", action="append", choices=METHODS)
    parser.add_argument("--rows", action="store_true", help="one parameter vector per worker")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--fresh-memory", action="store_true", help="leave the allocator as it is")
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="end with one line of JSON, or write it to FILE"
    )
    options = parser.parse_args()
    options.method = options.method or ["layers"]
    one_thread()
    if not options.fresh_memory:
        keep_memory()
    with ChunkPool(options.threads) as pool:
        rows = measure(variants(options, pool), options.repeats)
    if options.json:
        give({"options": vars(options), "variants": rows}, options.json)
        return
    print(f"{options.model}, {options.workers} workers x {options.batch} samples, chunk {options.chunk}")
    print(f"{'':12s}{'median ms':>10s}{'min ms':>10s}{'cpu ms':>10s}   x plain: median   min   cpu")
    for name, row in rows.items():
        times = "".join(f"{row[key] * 1e3:10.2f}" for key in ("median_s", "min_s", "cpu_s"))
        print(f"{name:12s}{times}{row['median_ratio']:18.2f}{row['min_ratio']:6.2f}{row['cpu_ratio']:6.2f}")


if __name__ == "__main__":
    main()

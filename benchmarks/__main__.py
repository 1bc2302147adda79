"""Measure everything, or the named parts, and collect the ratios: ``python -m benchmarks [PART ...]``.

Each part is written to ``outputs/benchmarks/PART.json`` and all that lie there are collected in ``all.json``, which
`benchmarks.check` compares with the committed ratios and `benchmarks.page` turns into ``docs/benchmarks.md``. Peers are
measured only when named, since that installs packages (into environments of their own).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import adapters
from benchmarks.peers.environment import ONE_THREAD, last_line
from benchmarks.results import Part, Ratio, read, told, write

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("outputs/benchmarks")
ALL = "all.json"
KERNELS = ("benchmarks/kernels.py",)
GRADIENTS = ("benchmarks/gradients.py", "--json", "--threads", "1", "--method", "auto", "--model")


@dataclass(frozen=True)
class Measurement:
    """The commands of a part; with `adapter` they print JSON, else they take ``--json FILE`` and write the part."""

    commands: tuple[tuple[str, ...], ...]
    adapter: Callable[[adapters.Values], list[Ratio]] | None = None
    unasked: bool = True  # whether it is among those that are measured when none is named


PARTS: Mapping[str, Measurement] = {
    "kernels": Measurement((KERNELS,)),
    "kernels_large": Measurement(
        ((*KERNELS, "--rows", "8", "--coordinates", "11000000", "--repeats", "3", "--name", "kernels_large"),)
    ),
    "codecs": Measurement((("benchmarks/codecs.py",),)),
    "gradients": Measurement(
        (
            *((*GRADIENTS, model) for model in ("mlp", "lenet")),
            *(
                (*GRADIENTS, model, "--workers", "8", "--batch", "8")
                for model in ("resnet20", "char_lstm", "transformer")
            ),
        ),
        adapters.gradients,
    ),
    "rounds": Measurement((("benchmarks/rounds.py",),)),
    "rounds_all": Measurement((("benchmarks/rounds.py", "--all"),)),
    "linear": Measurement((("benchmarks/linear.py",),)),
    "scale": Measurement((("benchmarks/scale.py", "--json"),), adapters.scale),
    "memory": Measurement((("benchmarks/memory.py", "--json"),), adapters.memory),
    "retime": Measurement((("benchmarks/retime.py", "--json"),), adapters.retime),
    "peers": Measurement((("-m", "benchmarks.peers"),), unasked=False),
}


def present(measurement: Measurement) -> bool:
    """Tell whether the scripts of a part are there."""
    scripts = [command[0] for command in measurement.commands if command[0] != "-m"]
    return all((ROOT / script).exists() for script in scripts)


def measure(name: str, measurement: Measurement, path: Path) -> None:
    """Run a part's commands and write what they found; RuntimeError with the last line of one that fails."""
    path.unlink(missing_ok=True)  # what an older run left is not this one's
    if measurement.adapter is None:
        (command,) = measurement.commands
        spoken([*command, "--json", str(path)], show=True)
        return
    begun = time.perf_counter()
    printed = [spoken(command, show=False) for command in measurement.commands]
    ratios = measurement.adapter([one for text in printed for one in adapters.values(text)])
    print(told(ratios))
    commands = "; ".join(" ".join(("python", *command)) for command in measurement.commands)
    write(Part(name, commands, ratios, time.perf_counter() - begun), path)


def spoken(command: Sequence[str], show: bool) -> str:
    """Run a Python command with this checkout first on its path; give, or show, what it prints."""
    paths = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])} | ONE_THREAD
    out = None if show else subprocess.PIPE
    done = subprocess.run(
        [sys.executable, *command], stdout=out, stderr=subprocess.PIPE, text=True, check=False, env=paths, cwd=ROOT
    )
    if done.returncode:
        raise RuntimeError(last_line(done.stderr) or f"exit code {done.returncode}")
    return done.stdout or ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, collect, and name what failed; 1 if anything did."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all but peers by default")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the results go")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.parts if name not in PARTS]:
        print(f"benchmarks: expected some of {', '.join(PARTS)}, got {', '.join(unknown)}", file=sys.stderr)
        return 1
    folder, failed = options.folder.resolve(), 0
    for name in options.parts or [name for name, one in PARTS.items() if one.unasked and present(one)]:
        print(f"\n{name}", flush=True)
        try:
            measure(name, PARTS[name], folder / f"{name}.json")
        except (RuntimeError, ValueError) as error:
            print(f"benchmarks: {name}: {error}", file=sys.stderr)
            failed = 1
    found = [part for path in sorted(folder.glob("*.json")) if path.name != ALL for part in read(path)]
    write(found, folder / ALL)
    print(f"\n{folder / ALL}")
    return failed


if __name__ == "__main__":
    sys.exit(main())

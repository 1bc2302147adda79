"""Who may import whom, held two ways: by what a fresh interpreter really loads and by what the source says.

The second way also sees an import hidden in a function. The rest keeps files small and named after what they hold.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("algorithms", "network_models", "simulator", "figures")

# What must not even be loaded, directly or through something else.
FORBIDDEN = {
    "algorithms": {"simpy", "hydra", "omegaconf", "network_models", "simulator", "figures"},
    "network_models": {"torch", "hydra", "omegaconf", "matplotlib", "yaml", "algorithms", "simulator", "figures"},
    "figures": {"torch", "simpy", "hydra", "algorithms", "simulator", "network_models"},
}
# What the source may name, besides the standard library and the package itself.
ALLOWED = {
    "algorithms": {"torch", "numpy", "numba", "llvmlite"},
    "network_models": {"simpy", "numpy", "networkx"},  # see LATE for its commands
    "figures": {"numpy", "pyarrow", "matplotlib", "rich", "yaml"},
}
# What commands may import inside functions, so that importing the package loads none of it.
LATE = {"network_models/commands": {"matplotlib", "yaml"}}
LOADER = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """Give the top-level names of everything `path` imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_fresh_interpreter_loads_no_forbidden_module(package: str) -> None:
    names = [module_name(path) for path in sources(package) if path.name != "__main__.py"]
    done = subprocess.run(
        [sys.executable, "-c", LOADER, json.dumps(names)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert package in loaded
    assert not loaded & FORBIDDEN[package]


@pytest.mark.parametrize("package", ALLOWED)
def test_the_source_names_allowed_packages_only(package: str) -> None:
    allowed = ALLOWED[package] | {package} | set(sys.stdlib_module_names)
    late = {path: LATE.get(str(path.parent.relative_to(ROOT)), set()) for path in sources(package)}
    offences = {str(path.relative_to(ROOT)): sorted(imported(path) - allowed - late[path]) for path in late}
    assert {path: names for path, names in offences.items() if names} == {}


def test_files_stay_short() -> None:
    everything = [path for folder in (*PACKAGES, "tests", "benchmarks") for path in sources(folder)]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in everything}
    assert {path: length for path, length in lengths.items() if length > 250} == {}


def test_no_file_is_named_after_nothing() -> None:
    vague = {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert [path for package in PACKAGES for path in sources(package) if path.name in vague] == []

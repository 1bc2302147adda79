"""Build a network from a file of `conf/network`, without the simulator's configuration library.

A file names a constructor under `_target_` and its arguments; an argument may be such a thing itself, and `${workers}`
and `${seed}` stand for those of the run. Only what this package defines is ever called.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.resources import files
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from network_models.network import Network

_PACKAGE = "network_models"


def built(name: str, workers: int, overrides: Mapping[str, Any] | None = None, seed: int = 1) -> Network:
    """Build a network by name.

    Parameters
    ----------
    name : str
        That of a file in `conf/network`, or the path of a `.yaml` file like those.
    workers : int
        n, which the file calls `${workers}`.
    overrides : mapping, optional
        Other values of settings in the file: `{"topology.k": 4, "mode": "message"}`.
    seed : int
        What the file calls `${seed}`.

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        If there is no such file or setting, or the constructor refuses a value.
    """
    settings = read_settings(name)
    for key, value in (overrides or {}).items():
        _override(settings, key, value)
    network = _made(settings, {"${workers}": workers, "${seed}": seed}, "network")
    if not isinstance(network, Network):
        raise ValueError(f"network._target_: expected what makes a network, got {settings.get('_target_')!r}")
    return network


def names() -> list[str]:
    """The networks of `conf/network`, in order."""
    return sorted(
        file.name.removesuffix(".yaml") for file in (files("conf") / "network").iterdir() if file.name.endswith(".yaml")
    )


def read_settings(name: str) -> dict[str, Any]:
    """Read the settings of a network by its name or path.

    Raises
    ------
    ValueError
        If there is none, or the file is not one.
    """
    import yaml

    named = not name.endswith((".yaml", ".yml"))
    file = files("conf") / "network" / f"{name}.yaml" if named else Path(name)
    if name not in names() if named else not file.is_file():
        raise ValueError(f"network: expected one of {', '.join(names())} or a .yaml file, got {name!r}")
    try:
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"network: expected YAML in {name!r}: {error}") from error
    if not isinstance(settings, dict) or "_target_" not in settings:
        raise ValueError(f"network: expected settings with a _target_ in {name!r}")
    return _with_defaults(settings)


def _with_defaults(settings: dict[str, Any]) -> dict[str, Any]:
    """Put the files of settings that a network builds on under its own."""
    import yaml

    merged = dict[str, Any]()
    for entry in settings.pop("defaults", ()):
        if entry != "_self_":
            file = files("conf") / "network" / f"{str(entry).removesuffix('@_here_')}.yaml"
            if not file.is_file():
                raise ValueError(f"network.defaults: expected files of conf/network and _self_, got {entry!r}")
            merged |= yaml.safe_load(file.read_text(encoding="utf-8"))
    return merged | settings


def parsed(arguments: list[str], known: Mapping[str, type]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read `key=value` arguments of a command line; values are YAML.

    Parameters
    ----------
    arguments : list of str
    known : mapping of str to type
        The command's own keys and what each holds.

    Returns
    -------
    own : dict
    overrides : dict
        What began with `network.`, without that.

    Raises
    ------
    ValueError
        If an argument is of another form, or its key or value is not known.
    """
    import yaml

    own, overrides = dict[str, Any](), dict[str, Any]()
    for argument in arguments:
        key, equals, text = argument.partition("=")
        if not equals or not (key in known or key.startswith("network.")):
            raise ValueError(f"{key}: expected key=value with {', '.join(known)} or network.KEY, got {argument!r}")
        if key.removeprefix("network.") in (overrides if key.startswith("network.") else own):
            raise ValueError(f"{key}: expected it once, got another: {argument!r}")
        if known.get(key) is str:
            own[key] = text
            continue
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(f"{key}: expected a value, got {text!r}") from error
        if key in known and (not isinstance(value, known[key]) or isinstance(value, bool)):
            raise ValueError(f"{key}: expected a whole number, got {text!r}")
        (own if key in known else overrides)[key.removeprefix("network.")] = value
    return own, overrides


def _override(settings: dict[str, Any], key: str, value: Any) -> None:
    """Set one value; every part of the key but the last must be there."""
    *path, last = key.split(".")
    for part in path:
        inner = settings.get(part)
        if not isinstance(inner, dict):
            raise ValueError(f"network.{key}: expected settings under {part!r}, got {inner!r}")
        settings = inner
    settings[last] = value  # one that the constructor does not know is refused by it


def _made(value: Any, run: Mapping[str, int], key: str) -> Any:
    """Build whatever has a `_target_` in a value, from inside out; `run` holds what may stand for a number."""
    if isinstance(value, list):
        return [_made(item, run, f"{key}[{number}]") for number, item in enumerate(value)]
    if not isinstance(value, dict):
        if isinstance(value, str) and value.startswith("${"):
            if value not in run:
                raise ValueError(f"{key}: expected one of {', '.join(run)}, got {value!r}")
            return run[value]
        return value
    inside = {name: _made(item, run, f"{key}.{name}") for name, item in value.items() if name != "_target_"}
    if "_target_" not in value:
        return inside
    constructor = _located(value["_target_"], key)
    parameters = signature(constructor).parameters
    if not any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values()):
        for name in inside:
            if name not in parameters:
                raise ValueError(f"{key}.{name}: expected one of {', '.join(parameters)}, got {name!r}")
    try:
        return constructor(**inside)
    except TypeError as error:
        raise ValueError(f"{key}: {error}") from error


def _located(target: object, key: str) -> Any:
    """Find what a target names; it must be defined in this package."""
    first, *rest = str(target).split(".")
    found: Any = import_module(_PACKAGE) if first == _PACKAGE else None
    path = first
    for part in rest if found is not None else ():
        path = f"{path}.{part}"
        if not hasattr(found, part):
            try:
                import_module(path)
            except ImportError:
                found = None
                break
        found = getattr(found, part)
    if not callable(found) or not getattr(found, "__module__", "").startswith(_PACKAGE):
        raise ValueError(f"{key}._target_: expected something that {_PACKAGE} defines, got {target!r}")
    return found

"""Proves that the weights of an exported run are those its config describes, before they are kept.

A hostile file is cheap to write and dear to load, so its header is read first: names, shapes and
types of all tensors must be exactly those of the config's network and of its optimiser's memory.
Only then are the tensors themselves looked at: they must match their digest, and be finite.
"""

import math

import msgspec
import torch

from metacore import strict
from metacore.errors import UserError
from metacore.models.networks import HEAD
from metacore.randomness import generator
from metacore.runs import files, schema
from metacore.training.config import RunConfig
from metacore.training.optimisation import remembered

Shapes = dict[str, tuple[int, ...]]
_PARAMS, _OPTIMISER = "params/", "optimiser/"


def prove(config: RunConfig, data: bytes, source: str) -> None:
    """Raises a sentence unless a trainer of this config could go on from these bytes."""
    found = _declared(data, source)
    params, learned = _expected_params(config, found)
    memory = _expected_memory(config, learned)
    if found not in (params, {**params, **memory}):
        raise UserError(f"{source} does not belong to the network its config describes.")
    checkpoint = files.from_bytes(data, source)
    strict.checked(checkpoint.info, schema.Info, f"{source}: its record of the training")
    strange = next((n for n, v in checkpoint.tensors.items() if not _finite(v)), None)
    if strange is not None:
        raise UserError(f"{source}: the weights {strange} are not all finite numbers.")


def _finite(value: torch.Tensor) -> bool:
    return bool(torch.isfinite(value).all())


def _declared(data: bytes, source: str) -> Shapes:
    """The tensors that the header tells of; they fill what comes after it without a gap."""
    what = f"{source} is damaged or not a checkpoint of Metacore:"
    size = int.from_bytes(data[:8], "little")
    if size > strict.LARGEST_JSON:
        raise UserError(f"{what} its header is longer than it may be.")
    parts = strict.read(files.header_of(data), dict[str, msgspec.Raw], f"{what} its header")
    parts.pop("__metadata__", None)
    found = {
        name: strict.read(bytes(raw), schema.Tensor, f"{what} one") for name, raw in parts.items()
    }
    places = sorted(tensor.data_offsets for tensor in found.values())
    ends = [0, *(end for _, end in places)]
    gapless = all(begin == end for (begin, _), end in zip(places, ends, strict=False))
    sizes = all(t.data_offsets[1] - t.data_offsets[0] == _bytes(t) for t in found.values())
    if not gapless or not sizes or 8 + size + ends[-1] != len(data):
        raise UserError(f"{what} its tensors are not where its header says.")
    return {name: tuple(tensor.shape) for name, tensor in found.items()}


def _bytes(tensor: schema.Tensor) -> int:
    return 4 * math.prod(tensor.shape)


def _expected_params(config: RunConfig, found: Shapes) -> tuple[Shapes, Shapes]:
    """Of the config's network, whose dataset may not be on this machine; it costs no memory.

    Only a head with an output per training class depends on the data: its size is taken as it is.
    """
    classes = (found.get(f"{_PARAMS}{HEAD[0]}") or (0,))[0]
    with torch.device("meta"):
        algorithm = config.algorithm_for(classes)
        params = algorithm.init(generator(config.seed, "init"))
    shapes = {name: tuple(value.shape) for name, value in params.items()}
    learned = algorithm.parts.learned(shapes)
    return {f"{_PARAMS}{name}": shape for name, shape in shapes.items()}, learned


def _expected_memory(config: RunConfig, learned: Shapes) -> Shapes:
    return {
        f"{_OPTIMISER}{name}/{key}": () if key == "step" else shape
        for name, shape in learned.items()
        for key in remembered(config.training)
    }

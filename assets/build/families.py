"""Splits in which related things are spread: families by hand, and a seed within them."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

# Of every 20 classes in a row 13 train, 3 validate and 4 test.
_HALF = ("train", "val", "train", "test", "train", "train", "test", "train")
PATTERN = (*_HALF, "train", "val", *_HALF, "train", "train")


def spread(families: Mapping[str, Sequence[str]], seed: int) -> dict[str, list[str]]:
    """Goes through the families one by one, each in a random order, and deals by the pattern."""
    chance = random.Random(seed)
    mixed = [chance.sample(sorted(family), len(family)) for family in families.values()]
    row = [name for family in mixed for name in family]
    splits: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for place, name in enumerate(row):
        splits[PATTERN[place % len(PATTERN)]].append(name)
    return {split: sorted(names, key=str.casefold) for split, names in splits.items()}


def write(path: Path, lists: object) -> None:
    path.write_text(json.dumps(lists, indent=1, ensure_ascii=False) + "\n", "utf-8")

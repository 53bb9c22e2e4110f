from dataclasses import replace

import pytest

from metacore.models.networks import Conv4, Conv4Pool
from metacore.training.differences import between, described, nearest_preset
from metacore.training.presets import PRESETS, preset
from tests.training.small import small, some_pairs


@pytest.mark.parametrize(("algorithm", "dataset"), some_pairs())
@pytest.mark.parametrize("level", PRESETS)
def test_a_preset_is_found_again(algorithm: str, dataset: str, level: str) -> None:
    config = preset(algorithm, dataset, level, ways=5, shots=3, seed=4, device="cpu")
    _, nearest = nearest_preset(config)
    assert nearest == config


def test_the_closest_preset_is_the_one_with_the_fewest_changes() -> None:
    paper = preset("maml", "glyphs", "paper", ways=20)
    changed = paper.replace(training=replace(paper.training, clip=1.0))
    assert nearest_preset(changed) == ("paper", paper)


def test_only_what_differs_is_listed() -> None:
    one = preset("maml", "glyphs")
    other = one.replace(algorithm=replace(one.algorithm, inner_rate=0.1), seed=7)
    rows = [(row.part, row.name, row.values) for row in between([one, one, other])]
    assert rows == [("algorithm", "inner_rate", (0.4, 0.4, 0.1)), ("run", "seed", (0, 0, 7))]
    assert between([one, one]) == []


def test_what_one_config_does_not_have_is_none() -> None:
    rows = {row.name: row.values for row in between([small("maml"), small("finetune")])}
    assert rows["name"] == ("maml", "finetune")
    assert rows["inner_steps"] == (3, None)
    assert rows["layers"] == (None, "all")


def test_another_model_is_a_difference_even_with_the_same_settings() -> None:
    config = preset("maml", "glyphs")
    rows = between([config.replace(model=Conv4()), config.replace(model=Conv4Pool())])
    assert ("model", "name", ("conv4", "conv4-pool")) in [(r.part, r.name, r.values) for r in rows]


def test_every_setting_of_a_config_is_described() -> None:
    config = small("reptile", seconds=12.0)
    rows = {(row.part, row.name): row.values[0] for row in described(config)}
    for part, values in config.to_dict().items():
        if isinstance(values, dict):
            assert all(rows[part, name] == value for name, value in values.items())
    assert rows["run", "seed"] == config.seed

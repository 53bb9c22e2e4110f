"""Where a trial's pictures lie: for ProtoNet, its answer is the nearest class mean among them."""

import numpy as np
import torch

from metacore.training.learner import build
from metacore.trial.task import adapt
from tests.training.small import small


def test_protonets_answer_is_the_nearest_mean_of_the_places() -> None:
    learner = build(small("protonet", "glyphs"))
    chance = torch.Generator().manual_seed(0)
    episode = learner.dataset.sample("test", tasks=1, ways=3, shots=2, queries=2, generator=chance)
    labels = episode.support_y[0].tolist()
    adapted = adapt(learner, episode.support_x[0], labels, ways=3)
    support, query = adapted.places(episode.query_x[0])
    means = np.stack([support[np.array(labels) == n].mean(0) for n in range(3)])
    nearest = ((query[:, None] - means[None]) ** 2).sum(-1).argmin(-1)
    assert nearest.tolist() == adapted.answer(episode.query_x[0]).choices


def test_an_inner_loop_moves_them() -> None:
    learner = build(small("maml", "glyphs"))
    chance = torch.Generator().manual_seed(0)
    ways = learner.config.task.ways
    episode = learner.dataset.sample(
        "test", tasks=1, ways=ways, shots=1, queries=1, generator=chance
    )
    labels = episode.support_y[0].tolist()
    places = [
        adapt(learner, episode.support_x[0], labels, ways=ways, steps=steps).places(
            episode.query_x[0]
        )[0]
        for steps in (0, 3)
    ]
    assert not np.allclose(*places)

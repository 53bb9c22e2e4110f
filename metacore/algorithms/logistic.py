"""A good embedding may be all you need (Tian et al. 2020): logistic regression on a frozen network.

    theta, w: minimise -log softmax(s cos(f_theta(x), w_n))_y       (in training, over all classes)
    z = f_theta(x) / |f_theta(x)|
    W, b: minimise |W|^2 / 2 + C sum_i -log softmax(W z_i + b)_{y_i}           (on the support set)

The second problem is convex and solved until its gradient vanishes, so there is no step size to
choose: the answer is that of scikit-learn's LogisticRegression. Newton's method finds it, for all
tasks at once; conjugate gradients find each direction, without a matrix of second derivatives.

Departures: in training an example is told from the other classes of its batch alone (a sampled
softmax), and by cosines (baseline++ of Chen et al. 2019). On glyphs, 300 validation tasks of 5 ways
and 1 shot, one run each: 95.4% with neither (4,000 meta-steps at a rate of 1e-3); 96.0% with the
first and 96.9% with both, its scale learned (2,000 at 2e-3). The preset `paper` has neither. There
is nothing of the kind for curves: on 5 points of sine waves, ridge regression on the features of
the pretrained network has a mean squared error of 3.6, and fine-tuning it 2.6.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from metacore.algorithms.base import Explanation, Predictor, one_hot
from metacore.algorithms.baselines import SUPERVISED_SHAPES, Supervised, true_classes
from metacore.algorithms.inner import AdaptedHead, FrozenBody
from metacore.algorithms.recipes import LARGE_TASKS, Recipe, Wanted
from metacore.episode import Episode
from metacore.models.networks import HEAD, Params
from metacore.models.stacked import stack
from metacore.settings import Config, setting

NEWTON_STEPS, DIRECTION_STEPS, HALVINGS = 100, 500, 40  # never needed: a guard against rounding
TOLERANCE = 1e-9  # of the gradient, times C where that is larger than 1


@dataclass(frozen=True, kw_only=True)
class LogisticConfig(Config):
    strength: float = setting(
        10.0,
        "How much the support examples count against small weights (C): the larger, the closer the"
        " fit.",
        low=1e-3,
        high=1e4,
        step=1,
        label="Strength of the fit",
    )
    normalise: bool = setting(
        True, "Whether only the direction of features counts, or their length as well."
    )
    scale: float = setting(
        10.0,
        "How sharp answers are in training: cosines between features and classes times this; 0"
        " takes plain products, as in an ordinary last layer.",
        low=0,
        high=100,
        step=1,
    )
    against: str = setting(
        "batch",
        "Which classes an example is told from in training: the others of its batch, or all.",
        choices=("batch", "all"),
        label="Told from",
    )


class Logistic(Supervised):
    name = "logistic"
    title = "Logistic regression"
    summary = "Ordinary training on all classes at once, then the best linear separation of a task."
    formula = (
        r"\theta \leftarrow \theta - \beta \nabla L(\mathrm{all\ classes})",
        r"\min_{W,b}\ \tfrac12 \lVert W \rVert^2 + C \sum_i -\log p_{W,b}(y_i \mid z_i)",
    )
    paper = "Tian et al. 2020, arXiv:2003.11539"
    color = ("#8A6D00", "#E0C04A")
    regression = False
    in_steps = False
    Config = LogisticConfig

    config: LogisticConfig

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        method, settings = LogisticConfig(), {**SUPERVISED_SHAPES, "learning_rate": 2e-3}
        if wanted.paper:
            method, settings = LogisticConfig(strength=1, scale=0, against="all"), SUPERVISED_SHAPES
        training = wanted.training(LARGE_TASKS, **settings)
        return Recipe(method, wanted.model, training)

    def outputs_and_targets(
        self, theta: Params, features: Tensor, episode: Episode
    ) -> tuple[Tensor, Tensor]:
        weight, bias = (theta[name] for name in HEAD)
        if self.config.against == "batch":
            assert episode.classes is not None, "images come with their classes"
            weight, bias = weight[episode.classes], bias[episode.classes]  # [T, N, F] and [T, N]
            features = features.unflatten(1, (episode.tasks, -1))[0]  # [T, B, F]
            y = torch.cat([episode.support_y, episode.query_y], 1)
        else:
            weight, bias, y = weight[None], bias[None], true_classes(episode)
        return self.told(features, weight, bias), y

    def told(self, features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        if self.config.scale:
            features = self.config.scale * F.normalize(features, dim=-1)
            weight = F.normalize(weight, dim=-1)
        return super().told(features, weight, bias)

    def predictors(
        self, params: Params, episode: Episode, steps: int, norm: str
    ) -> Iterator[Predictor]:
        theta = stack(params, episode.tasks)
        kind = Directions if self.config.normalise else FrozenBody
        body = kind(self.network, theta, episode.support_x, norm)
        with torch.no_grad():
            features = body.support_features()
            weight, bias = fit(features, episode.support_y, episode.ways, self.config.strength)
        yield FittedHead(body, weight, bias, features, episode.support_y)


class Directions(FrozenBody):
    """A frozen body of whose features only the direction counts."""

    def support_features(self) -> Tensor:
        return F.normalize(super().support_features(), dim=-1)

    def features(self, x: Tensor) -> Tensor:
        return F.normalize(super().features(x), dim=-1)


@dataclass
class FittedHead(AdaptedHead):
    """Says where it places examples, too."""

    def explain(self, query_x: Tensor) -> Explanation:
        answers = super().explain(query_x)
        return replace(answers, support=self.support_features, query=self.features(query_x))


def fit(features: Tensor, labels: Tensor, ways: int, strength: float) -> tuple[Tensor, Tensor]:
    """Logistic regression of T tasks: weights [T, N, F] and biases [T, N].

    Of features [T, S, F] and labels [T, S], in float64. Biases are not kept small (as in
    scikit-learn); over the classes they sum to 0, as the weights of each feature do.
    """
    on = torch.device("cpu") if features.device.type == "mps" else features.device  # no float64
    x = F.pad(features.to(on, torch.float64), (0, 1), value=1.0)  # [T, S, F + 1]
    y = one_hot(labels.to(on), ways, x)
    small = x.new_ones(x.shape[-1], 1)
    small[-1] = 0  # what the bias counts
    w = x.new_zeros(len(x), x.shape[-1], ways)
    enough = TOLERANCE * max(1.0, strength)

    def objective(w: Tensor) -> Tensor:
        misses = -((x @ w).log_softmax(-1) * y).sum((1, 2))
        return (small * w).square().sum((1, 2)) / 2 + strength * misses

    for _ in range(NEWTON_STEPS):
        p = (x @ w).softmax(-1)
        gradient = _sum_to_zero(small * w + strength * x.mT @ (p - y))
        open_ = gradient.abs().amax((1, 2), keepdim=True) > enough
        if not open_.any():
            break

        def second(v: Tensor, p: Tensor = p) -> Tensor:
            """The matrix of second derivatives, times v."""
            u = p * (x @ v)
            return _sum_to_zero(small * v + strength * x.mT @ (u - p * u.sum(-1, keepdim=True)))

        direction = _solve(second, torch.where(open_, -gradient, 0.0))
        w = w + _step(objective, w, direction, (gradient * direction).sum((1, 2))) * direction
    w = w.to(features)
    return w[:, :-1].mT.contiguous(), w[:, -1]


def _sum_to_zero(v: Tensor) -> Tensor:
    """The same for all classes changes no answer: what rounding adds of it is taken out."""
    return v - v.mean(-1, keepdim=True)


def _step(
    objective: Callable[[Tensor], Tensor], w: Tensor, direction: Tensor, slope: Tensor
) -> Tensor:
    """How far to go along each task's direction [T, 1, 1]: 1, halved until it leads down."""
    before = objective(w)
    length = torch.ones_like(slope)
    for _ in range(HALVINGS):
        there = objective(w + length[:, None, None] * direction)
        worse = there > before + 1e-4 * length * slope + 1e-13 * before  # a hair of rounding
        if not worse.any():
            break
        length = torch.where(worse, length / 2, length)
    return length[:, None, None]


def _solve(matrix: Callable[[Tensor], Tensor], b: Tensor) -> Tensor:
    """Each task's x with matrix(x) = b by conjugate gradients, the closer the smaller b is."""
    x, rest, towards = torch.zeros_like(b), b, b
    size = rest.square().sum((1, 2), keepdim=True)
    enough = size * size.clamp(max=1e-4)  # so that Newton's steps converge quadratically
    for _ in range(DIRECTION_STEPS):
        open_ = size > enough
        if not open_.any():
            break
        image = matrix(towards)
        length = torch.where(open_, size / (towards * image).sum((1, 2), keepdim=True), 0.0)
        x, rest = x + length * towards, rest - length * image
        new = rest.square().sum((1, 2), keepdim=True)
        towards = rest + torch.where(open_, new / size, 0.0) * towards
        size = torch.where(open_, new, size)
    return x

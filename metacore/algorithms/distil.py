"""Knowledge distillation (Hinton, Vinyals, Dean 2015): a teacher's doubts teach a student.

    L = (1 - w) H(y, p) + w T^2 KL(p_teacher^T || p^T),   p^T = softmax(logits / T)

`distil`: the teacher, any run that answers tasks of classes, adapts to the support set of every
training task; what it answers to the queries teaches a smaller prototypical network.
`distil-classes`: a network that has learned all training classes teaches another one, generation by
generation (Tian et al. 2020, "a good embedding is all you need", section 3.3): what a student of
this kind has learned can teach the next. It is trained and tested as `logistic` is.

Without weight on the teacher either is, step for step, the method it is made of. Departures: those
of these two; pictures are not augmented.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from metacore import settings
from metacore.algorithms.base import Algorithm, Teacher
from metacore.algorithms.baselines import Supervised
from metacore.algorithms.logistic import Logistic, LogisticConfig
from metacore.algorithms.protonet import ProtoNet, ProtoNetConfig
from metacore.algorithms.recipes import Recipe, Wanted
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.models.networks import HEAD, ModelConfig, Params
from metacore.settings import Config, setting, settings_of

SMALLER = 4  # times the width of a preset's student in that of its teacher


@dataclass(frozen=True, kw_only=True)
class TaughtConfig(Config):
    teacher: str = setting(
        "",
        "The finished run it learns from, by name or id; empty for the best there is.",
        run=True,
    )
    temperature: float = setting(
        4.0,
        "How soft answers are made before they are compared: logits are divided by it.",
        low=0.1,
        high=100,
        step=1,
    )
    weight: float = setting(
        0.5,
        "How much the teacher's answers count beside the true ones; at 0 it learns alone.",
        low=0,
        high=1,
        step=0.1,
    )


class Taught(Algorithm):
    """What students share, whatever they are beside that."""

    config: TaughtConfig

    @classmethod
    def wanted_teacher(cls, config: settings.Config) -> str | None:
        assert isinstance(config, TaughtConfig)
        return config.teacher if config.weight else None

    @classmethod
    def untaught(cls, config: settings.Config) -> settings.Config:
        assert isinstance(config, TaughtConfig)
        usual = TaughtConfig()
        return replace(config, teacher="", temperature=usual.temperature, weight=0.0)

    def its_teacher(self) -> Teacher:
        if self.teacher is None:
            raise UserError(
                f"{self.title} learns from a teacher, and was handed none: train it as a run, or"
                " set its weight to 0."
            )
        return self.teacher

    def mixed(self, hard: Tensor, logits: Tensor, taught: Tensor) -> Tensor:
        """The loss of each task [T], from that of the true answers and from the teacher's."""
        weight = self.config.weight
        soft = softened_divergence(logits, taught, self.config.temperature)
        return (1 - weight) * hard + weight * soft


def softened_divergence(logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """T^2 KL(teacher || student) of each task, both [T, B, N] -> [T].

    T^2 makes up for gradients that shrink as answers soften.
    """
    own, theirs = ((each / temperature).log_softmax(-1) for each in (logits, taught))
    apart = F.kl_div(own, theirs, log_target=True, reduction="none").sum(-1)
    return temperature**2 * apart.mean(1)


@dataclass(frozen=True, kw_only=True)
class DistilConfig(TaughtConfig, ProtoNetConfig):
    """A prototypical network's, and the teacher."""


class Distil(Taught, ProtoNet):
    name = "distil"
    title = "Distilled prototypes"
    summary = "A small prototypical network learns from the answers of a larger teacher."
    formula = (r"L = (1-w)\, H(y, p) + w\, T^2\, \mathrm{KL}(p_{\mathrm{teacher}}^T \| p^T)",)
    paper = "Hinton, Vinyals, Dean 2015, arXiv:1503.02531"
    color = ("#A23B00", "#FFB38A")
    dash = "dashdot"
    learns_from = "any that tells as many classes apart as its training tasks have"
    Config = DistilConfig

    config: DistilConfig

    def losses(self, logits: Tensor, task: Episode) -> Tensor:
        hard = super().losses(logits, task)
        return self.mixed(hard, logits, self.taught(task)) if self.config.weight else hard

    def taught(self, task: Episode) -> Tensor:
        """What the teacher answers to the queries, having adapted to the support set [T, Q, N]."""
        teacher = self.its_teacher()
        *_, adapted = teacher.algorithm.adapt(teacher.params, task)
        return adapted(task.query_x).detach()

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        usual = ProtoNet.recipe(wanted)
        return usual and replace(usual, algorithm=cls.Config(), model=smaller(usual.model))


@dataclass(frozen=True, kw_only=True)
class DistilClassesConfig(TaughtConfig, LogisticConfig):
    """Logistic regression's, and the teacher."""


class DistilClasses(Taught, Logistic):
    name = "distil-classes"
    title = "Born-again embedding"
    summary = "Logistic regression over a network that learned from another one of all classes."
    formula = (
        r"L = (1-w)\, H(y, p) + w\, T^2\, \mathrm{KL}(p_{\mathrm{before}}^T \| p^T)",
        r"w_i = \mathrm{fit}(f_\theta)",
    )
    paper = "Tian et al. 2020, arXiv:2003.11539"
    color = ("#8C3A6B", "#F2B8DA")
    dash = "dashdot"
    learns_from = "one that learns all training classes at once, such as logistic regression"
    Config = DistilClassesConfig

    config: DistilClassesConfig

    @classmethod
    def lacking(cls, teacher: type[Algorithm], params: Callable[[], Params]) -> str:
        if not issubclass(teacher, Supervised):
            return f"{teacher.title} knows no classes but those of a task"
        gone = len(params()[HEAD[0]]) == 1
        return "it came without the last layer, which told the training classes apart" * gone

    def losses(self, outputs: Tensor, y: Tensor, x: Tensor, episode: Episode) -> Tensor:
        hard = super().losses(outputs, y, x, episode)
        return self.mixed(hard, outputs, self.taught(x, episode)) if self.config.weight else hard

    def taught(self, x: Tensor, episode: Episode) -> Tensor:
        """What the teacher takes inputs for, among the classes the student tells them from."""
        teacher = self.its_teacher()
        assert isinstance(teacher.algorithm, Supervised), "others know no classes"
        with torch.no_grad():
            logits = teacher.algorithm.class_logits(teacher.params, x)  # [1, T*B, C]
        if self.config.against == "all":
            return logits
        assert episode.classes is not None, "images come with their classes"
        of_tasks = logits[0].unflatten(0, (episode.tasks, -1))
        asked = episode.classes[:, None].expand(-1, of_tasks.shape[1], -1)
        return of_tasks.gather(2, asked)  # [T, B, N]

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        """A network as large as the one before, as published."""
        usual = None if wanted.curves else Logistic.recipe(wanted)
        return usual and replace(usual, algorithm=cls.Config())


def smaller(model: ModelConfig) -> ModelConfig:
    """The same network with a quarter of the width, if that is one of its settings."""
    width = next((each for each in settings_of(model) if each.name == "width"), None)
    if width is None:
        return model
    own: Any = {"width": max(int(width.low or 1), model.to_dict()["width"] // SMALLER)}
    return replace(model, **own)

"""The inner loop of a trial: every run's answer to the query, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass

from pages.ui import palette
from pages.ui.player import Film, Line, Lines, play
from pages.ui.trial.machine import Actor

ROOM = 1.03  # above 100%
LONGEST = 20  # steps; fine-tuning may take a hundred, beside which the others' few are a dot


@dataclass(frozen=True)
class Told:
    """A run's answer to one query: after these steps, each class's share."""

    actor: Actor
    steps: tuple[int, ...]
    shares: list[list[float]]  # [S+1][N]
    loss: list[float]  # [S+1]


def show(actors: Sequence[Actor], kinds: Sequence[tuple[str, str]], query: int = 0) -> None:
    """`kinds` are the classes' names and colours."""
    told = [_told(actor, query) for actor in actors]
    steps = sorted({step for each in told for step in each.steps if step <= LONGEST})
    panels = [*(_answer(each, kinds, steps) for each in told), _losses(told, steps)]
    play(Film(steps=steps, panels=panels, start=0, autoplay=True), key="trial film player")


def _told(actor: Actor, query: int) -> Told:
    assert actor.answer is not None, "a film is about a query"
    shares = actor.answer.probabilities[:, query].tolist()
    return Told(actor, actor.answer.steps, shares, actor.answer.support_loss.tolist())


def _answer(told: Told, kinds: Sequence[tuple[str, str]], steps: Sequence[int]) -> Lines:
    columns = zip(*told.shares, strict=True)
    return Lines(
        title=told.actor.name,
        y="probability",
        alt=f"How likely {told.actor.name} finds each class for the query after every inner step.",
        lines=[
            Line(name, color, _held(column, told.steps, steps))
            for (name, color), column in zip(kinds, columns, strict=True)
        ],
        range=(0, ROOM),
        percent=True,
        note=_note(told.steps),
    )


def _note(steps: Sequence[int]) -> str:
    if len(steps) == 1:
        return "adapts in one computation: no step changes it"
    return f"goes on to step {steps[-1]}" if steps[-1] > LONGEST else ""


def _losses(told: Sequence[Told], steps: Sequence[int]) -> Lines:
    return Lines(
        title="Loss on the support set",
        y="support loss",
        alt="The support loss of every run after every inner step.",
        lines=[
            Line(
                each.actor.name,
                each.actor.color,
                _held(each.loss, each.steps, steps),
                palette.svg_dash(each.actor.kind),
            )
            for each in told
        ],
    )


def _held(values: Sequence[float], own: Sequence[int], steps: Sequence[int]) -> list[float]:
    """What was true at each of the film's steps: the value at the last own step before it."""
    return [values[sum(step <= now for step in own) - 1] for now in steps]

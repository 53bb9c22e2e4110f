"""What the film shows, in words."""

from metacore.algorithms.baselines import Scratch
from metacore.insight import reference
from metacore.insight.trace import Trace
from metacore.statistics import significant
from pages.ui import pick, words
from pages.ui.adapt.film import SCRATCH
from pages.ui.adapt.scene import Actor, Scene

FEW = 3  # runs of which a sentence can tell what they did


def sentence(scene: Scene) -> str:
    """One sentence on this episode, for those who have not yet looked at the film."""
    spec = scene.choice.spec
    if len(scene.actors) > FEW and not scene.regression:
        return _in_short(scene)
    if scene.regression:
        seen = f"From **{words.several(spec.shots, 'point')}** of a curve never met before"
        parts = [_error(actor) for actor in scene.actors]
    else:
        each = "one drawing" if spec.shots == 1 else f"{spec.shots} drawings"
        seen = f"From **{each}** of each of **{scene.episode.ways} classes** never met before"
        parts = [_answers(actor, scene) for actor in scene.actors]
    return f"{seen}, {'; '.join(parts)}{_from_scratch(scene)}."


def _in_short(scene: Scene) -> str:
    """Many runs are told apart by a number each."""
    queries = len(scene.episode.query_y[0])
    parts = [f"{_name(actor)} **{_right(actor.trace, -1, scene)}**" for actor in scene.actors]
    return f"Of **{queries} queries**, these are answered rightly: {', '.join(parts)}."


def _answers(actor: Actor, scene: Scene) -> str:
    right, of = _right(actor.trace, -1, scene), len(scene.episode.query_y[0])
    told = f"**{_name(actor)}** answers **{right} of {of}** queries"
    if actor.at_once:
        return f"{told} in one computation"
    before = f"{_right(actor.trace, 0, scene)} before adapting"
    return f"{told} after {_steps(actor)} ({before})"


def _right(trace: Trace, step: int, scene: Scene) -> int:
    return round(float(trace.query_score[step, 0]) * len(scene.episode.query_y[0]))


def _error(actor: Actor) -> str:
    first, last = (float(actor.trace.query_score[step, 0]) for step in (0, -1))
    return (
        f"**{_name(actor)}** brings its mean squared error from {_number(first)} to"
        f" **{_number(last)}** in {_steps(actor)}"
    )


def _from_scratch(scene: Scene) -> str:
    if scene.scratch is None:
        return ""
    last = len(scene.scratch.steps) - 1
    owner = f"{_name(scene.first)}'s network" if len(scene.actors) > 1 else "the same network"
    if scene.regression:
        said = f"{_number(float(scene.scratch.query_score[-1, 0]))}"
    else:
        said = str(_right(scene.scratch, -1, scene))
    after = words.several(last, "step")
    return f"; {owner} {SCRATCH}: {said} after {after}"


def _steps(actor: Actor) -> str:
    return words.several(len(actor.trace.steps) - 1, "gradient step")


def _number(value: float) -> str:
    return significant(value)


def notes(scene: Scene) -> str:
    """How to read the film."""
    above = "Above its line a board shows the support, below it queries."
    told = [] if scene.regression else [above]
    told += [
        "Bold lines are this episode; thin ones the mean of a hundred other test episodes, in the"
        " band that holds 95% of them."
    ]
    if scene.scratch is not None:
        owner = f"{_name(scene.first)}'s network" if len(scene.actors) > 1 else "the same network"
        told.append(f"The dotted grey line is {owner} from a random start{_its_way(scene)}.")
    told += [
        f"{_name(actor)} adapts in one computation: no step changes its answers."
        for actor in scene.actors
        if actor.at_once
    ]
    trained = [
        f"{_name(actor)} with {words.several(actor.trained_steps, 'step')}"
        for actor in scene.actors
        if actor.trained_steps
    ]
    if trained:
        told.append(f"Meta-trained: {', '.join(trained)}.")
    told += [_tested(actor) for actor in scene.actors if actor.run.tested is not None]
    return " ".join([*told, _foreign(scene)]).strip()


def _tested(actor: Actor) -> str:
    """The score to quote of a run: other episodes than those behind the film."""
    assert actor.run.tested is not None
    on = words.protocol(actor.run.tested)
    return f"{actor.name}: {words.quoted(actor.run)} ({on})."


def _its_way(scene: Scene) -> str:
    """How the reference adapts, and whether that is how a run from scratch would by itself."""
    assert scene.scratch is not None
    rate = reference.from_scratch(scene.first.run.config).algorithm.to_dict()["inner_rate"]
    norm = scene.scratch.norm
    usual = norm in ("none", Scratch.norms[0])
    return f", by plain gradient steps of {rate:g}" + ("" if usual else f", normalised {norm}")


def _foreign(scene: Scene) -> str:
    """Runs that were made from other data than this episode's."""
    name = scene.choice.spec.name
    others = [_name(a) for a in scene.actors if a.run.values["dataset"]["name"] != name]
    return f"The episode is of {name}, which {' and '.join(others)} never saw." if others else ""


def still(actor: Actor) -> str:
    """Why a run has no layers that moved."""
    if pick.family(actor.run) == "metric":
        return f"{_name(actor)} adapts in one computation: no layer moves."
    return f"{_name(actor)} has taken no step: choose at least one inner step to see what moves."


def _name(actor: Actor) -> str:
    return words.plain(actor.name)

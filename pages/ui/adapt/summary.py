"""What the film shows, in words."""

from metacore.insight import reference
from metacore.insight.trace import Trace
from metacore.statistics import significant
from pages.ui import words
from pages.ui.adapt.film import SCRATCH
from pages.ui.adapt.scene import AdaptedRun, AdaptScene

FEW = 3  # runs of which a sentence can tell what they did


def sentence(scene: AdaptScene) -> str:
    """One sentence on this episode, for those who have not yet looked at the film."""
    spec = scene.choice.spec
    if len(scene.runs) > FEW and not scene.regression:
        return _in_short(scene)
    if scene.regression:
        seen = f"From **{words.several(spec.shots, 'point')}** of a curve never met before"
        parts = [_error(adapted) for adapted in scene.runs]
    else:
        item = spec.kind.item
        each = f"one {item}" if spec.shots == 1 else f"{spec.shots} {item}s"
        seen = f"From **{each}** of each of **{scene.episode.ways} classes** never met before"
        parts = [_answers(adapted, scene) for adapted in scene.runs]
    return f"{seen}, {'; '.join(parts)}{_from_scratch(scene)}."


def _in_short(scene: AdaptScene) -> str:
    """Many runs are told apart by a number each."""
    queries = len(scene.episode.query_y[0])
    parts = [f"{_name(adapted)} **{_right(adapted.trace, -1, scene)}**" for adapted in scene.runs]
    return f"Of **{queries} queries**, these are answered rightly: {', '.join(parts)}."


def _answers(adapted: AdaptedRun, scene: AdaptScene) -> str:
    right, of = _right(adapted.trace, -1, scene), len(scene.episode.query_y[0])
    counted = f"**{_name(adapted)}** answers **{right} of {of}** queries"
    if adapted.at_once:
        return f"{counted} in one computation"
    before = f"{_right(adapted.trace, 0, scene)} before adapting"
    if not adapted.in_steps:
        return f"{counted} after {_steps(adapted)}"
    return f"{counted} after {_steps(adapted)} ({before})"


def _right(trace: Trace, step: int, scene: AdaptScene) -> int:
    return round(float(trace.query_score[step, 0]) * len(scene.episode.query_y[0]))


def _error(adapted: AdaptedRun) -> str:
    first, last = (float(adapted.trace.query_score[step, 0]) for step in (0, -1))
    if not adapted.in_steps:
        return (
            f"**{_name(adapted)}** has a mean squared error of **{significant(last)}** after"
            f" {_steps(adapted)}"
        )
    return (
        f"**{_name(adapted)}** brings its mean squared error from {significant(first)} to"
        f" **{significant(last)}** in {_steps(adapted)}"
    )


def _from_scratch(scene: AdaptScene) -> str:
    if scene.scratch is None:
        return ""
    last = len(scene.scratch.steps) - 1
    owner = f"{_name(scene.first)}'s network" if len(scene.runs) > 1 else "the same network"
    if scene.regression:
        said = significant(float(scene.scratch.query_score[-1, 0]))
    else:
        said = str(_right(scene.scratch, -1, scene))
    after = words.several(last, "step")
    return f"; {owner} {SCRATCH}: {said} after {after}"


def _steps(adapted: AdaptedRun) -> str:
    taken = len(adapted.trace.steps) - 1
    return words.several(taken, "gradient step" if adapted.in_steps else adapted.moment)


def notes(scene: AdaptScene) -> str:
    """How to read the film."""
    above = "Above its line a board shows the support, below it queries."
    said = [] if scene.regression else [above]
    said += [
        "Bold lines are this episode; thin ones the mean of a hundred other test episodes, in the"
        " band that holds 95% of them."
    ]
    if scene.scratch is not None:
        owner = f"{_name(scene.first)}'s network" if len(scene.runs) > 1 else "the same network"
        said.append(f"The dotted grey line is {owner} from a random start{_its_way(scene)}.")
    said += [
        f"{_name(adapted)} adapts in one computation: no step changes its answers."
        for adapted in scene.runs
        if adapted.at_once
    ]
    said += [
        f"{_name(adapted)} takes no gradient step: what changes is how much it has read, {how}."
        for adapted in scene.runs
        if (how := adapted.read_by)
    ]
    if any(adapted.trace.spread is not None for adapted in scene.runs):
        said.append("The band around a curve is where it expects 95% of the truth.")
    trained = [
        f"{_name(adapted)} with {words.several(adapted.trained_steps, 'step')}"
        for adapted in scene.runs
        if adapted.trained_steps
    ]
    if trained:
        said.append(f"Meta-trained: {', '.join(trained)}.")
    said += [_tested(adapted) for adapted in scene.runs if adapted.run.tested is not None]
    return " ".join([*said, _foreign(scene)]).strip()


def _tested(adapted: AdaptedRun) -> str:
    """The score to quote of a run: other episodes than those behind the film."""
    assert adapted.run.tested is not None
    on = words.protocol(adapted.run.tested)
    return f"{adapted.name}: {words.quoted(adapted.run)} ({on})."


def _its_way(scene: AdaptScene) -> str:
    """How the reference adapts, and whether that is how a run from scratch would by itself."""
    assert scene.scratch is not None
    rate = reference.from_scratch(scene.first.run.config).algorithm.to_dict()["inner_rate"]
    norm = scene.scratch.norm
    usual = norm in ("none", reference.Reference.norms[0])
    return f", by plain gradient steps of {rate:g}" + ("" if usual else f", normalised {norm}")


def _foreign(scene: AdaptScene) -> str:
    """Runs that were made from other data than this episode's."""
    name = scene.choice.spec.name
    others = [_name(a) for a in scene.runs if a.run.values["dataset"]["name"] != name]
    return f"The episode is of {name}, which {' and '.join(others)} never saw." if others else ""


def still(adapted: AdaptedRun) -> str:
    """Why a run has no layers that moved."""
    if adapted.at_once:
        return f"{_name(adapted)} adapts in one computation: no layer moves."
    if not adapted.in_steps:
        return f"{_name(adapted)} takes no gradient step: its weights stay as they are."
    return f"{_name(adapted)} has taken no step: choose at least one inner step to see what moves."


def _name(adapted: AdaptedRun) -> str:
    return words.plain(adapted.name)

"""What a comparison found: as one JSON document, and as the two tables people take away.

Everything in it is finite or null. A row's `training_episodes` counts tasks times meta-steps, so
methods can be compared by what they have seen as well as by the seconds it took.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from metacore.device import describe
from metacore.insight.best import BestScore
from metacore.runs.published_match import published_match
from metacore.runs.question import Question
from metacore.runs.record import Run
from metacore.statistics import finite
from metacore.tables import to_csv
from metacore.training.evaluate import Evaluation, compare
from metacore.training.learner import Learner
from metacore.training.seeds import over_seeds, repeated

Result = dict[str, Any]


@dataclass(frozen=True)
class Contestant:
    """A run and what it learned."""

    run: Run
    learner: Learner


def result(
    question: Question,
    contestants: Sequence[Contestant],
    by_task: list[list[Evaluation]],
    best: BestScore | None = None,
) -> Result:
    """The document; `by_task` holds the contestants' evaluations for each of question.tasks."""
    first = by_task[0]
    names = [contestant.run.name for contestant in contestants]
    pairs = [difference.to_dict() for difference in compare(names, first)]
    rows = [_row(*both) for both in zip(contestants, first, strict=True)]
    configs = [contestant.run.config for contestant in contestants]
    methods = over_seeds(configs, [evaluation.mean for evaluation in first])
    return {
        "question": question.to_dict(),
        "rows": rows,
        "methods": [method.to_dict() for method in methods] if repeated(methods) else [],
        "best": asdict(best) if best else None,
        "pairs": [{k: finite(v) for k, v in pair.items()} for pair in pairs],
        "sweep": _sweep(question, contestants, by_task) if question.sweep else None,
        "environment": dict(describe(contestants[0].learner.device)),
        "made": time.time(),
    }


def result_json(found: Result) -> bytes:
    return json.dumps(found, indent=2, allow_nan=False).encode()


def rows_csv(found: Result) -> bytes:
    """A line per run: its score, its protocol, its cost, the published number, and its sweep."""
    lines = [_flat(row, found["sweep"]) for row in found["rows"]]
    return to_csv(list(lines[0]), (line.values() for line in lines))


def methods_csv(found: Result) -> bytes:
    """A line per method and seed: its score, and the method's mean over seeds beside it."""
    columns = ("method", "algorithm", "seed", "score", "mean", "ci95", "better_by", "better_ci95")
    lines = []
    for method in found.get("methods", ()):
        apart = method["apart"] or {"mean": None, "ci95": None}
        shared = (method["mean"], method["ci95"], apart["mean"], apart["ci95"])
        for seed, value in zip(method["seeds"], method["scores"], strict=True):
            lines.append((method["label"], method["algorithm"], seed, value, *shared))
    return to_csv(columns, lines)


def episodes_csv(found: Result) -> bytes:
    """A line per episode, a column per run."""
    columns = [row["values"] for row in found["rows"]]
    names = ["episode", *(row["name"] for row in found["rows"])]
    return to_csv(names, ((n, *scores) for n, scores in enumerate(zip(*columns, strict=True))))


def _row(contestant: Contestant, evaluation: Evaluation) -> dict[str, Any]:
    run, learner = contestant.run, contestant.learner
    return {
        **_named(run),
        "title": learner.algorithm.title,
        "metric": evaluation.metric,
        "evaluation": evaluation.to_dict(),
        "values": [finite(value) for value in evaluation.values.tolist()],
        "seconds_per_episode": evaluation.seconds / evaluation.protocol.episodes,
        "parameters": learner.parameters,
        "training_seconds": run.seconds,
        "meta_steps": run.iteration,
        "training_episodes": run.iteration * run.config.training.tasks,
        "published": published_match(run, evaluation.protocol),
    }


def _named(run: Run) -> dict[str, str]:
    return {"run": run.id, "name": run.name, "algorithm": run.config.algorithm_class.name}


def _sweep(
    question: Question, contestants: Sequence[Contestant], by_task: list[list[Evaluation]]
) -> dict[str, Any]:
    """The scores by shots (or ways); the question's own task may be one of its points."""
    found = {
        task[question.sweep]: evaluations
        for task, evaluations in zip(question.tasks, by_task, strict=True)
    }
    rows = [
        {**_named(c.run), "scores": [_point(value, found[value][n]) for value in question.values]}
        for n, c in enumerate(contestants)
    ]
    return {"kind": question.sweep, "values": list(question.values), "rows": rows}


def _point(value: int, evaluation: Evaluation) -> dict[str, Any]:
    return {"value": value, "mean": finite(evaluation.mean), "ci95": finite(evaluation.ci95)}


def _flat(row: dict[str, Any], sweep: dict[str, Any] | None) -> dict[str, Any]:
    scores, paper = dict(row["evaluation"]), row["published"] or {}
    about = ("value", "ci95", "protocol", "source", "differs")
    cost = ("seconds_per_episode", "parameters", "training_seconds", "meta_steps")
    return {
        **{name: row[name] for name in ("run", "name", "algorithm", "title", "metric")},
        "score": scores.pop(row["metric"]),
        **{name: value for name, value in scores.items() if name != "per_step"},
        **{name: row[name] for name in (*cost, "training_episodes")},
        **{f"published_{name}": paper.get(name) for name in about},
        **_swept(row, sweep),
    }


def _swept(row: dict[str, Any], sweep: dict[str, Any] | None) -> dict[str, Any]:
    if sweep is None:
        return {}
    own = next(other for other in sweep["rows"] if other["run"] == row["run"])
    columns: dict[str, Any] = {}
    for point in own["scores"]:
        name = f"{sweep['kind']}={point['value']}"
        columns |= {name: point["mean"], f"{name} ci95": point["ci95"]}
    return columns

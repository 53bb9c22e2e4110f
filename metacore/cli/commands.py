"""What each command does. Every one takes its parsed arguments and returns an exit code."""

import shlex
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from metacore import library
from metacore.cli import display
from metacore.cli.flags import protocol, run_config
from metacore.device import resolve
from metacore.runs import Run, Store, execute, export, follow, import_, teachers
from metacore.runs import cancel as cancel_run
from metacore.runs import resume as resume_run
from metacore.runs.execution import Trainings
from metacore.runs.files import flaw
from metacore.statistics import finite, score, significant
from metacore.training import distributed
from metacore.training.evaluate import StepScore
from metacore.training.seeds import Method, over_seeds, repeated

SUCCEEDED, FAILED, CANCELLED = 0, 1, 130


def train(arguments: Namespace) -> int:
    config = run_config(arguments)
    if not config.dataset_class.at_hand(config.dataset):
        print("Preparing the data, once …", file=sys.stderr)
    notes = library.rehearse(config.replace(device=distributed.local_device(config.device)))
    world = _world(config.device)
    try:
        world.check(config.training.tasks)
        if world.first:
            print("".join(f"{note}\n" for note in notes), end="", file=sys.stderr)
        if not world.first:
            follow(Store(), config, world)
            return SUCCEEDED
        store = Store()
        return _execute(store, store.create(config, arguments.name, here=True), arguments, world)
    finally:
        distributed.leave()


def resume(arguments: Namespace) -> int:
    store = Store()
    run = store.get(arguments.run)
    world = _world(run.config.device)
    try:
        if not world.first:
            follow(store, run.config, world, run)
            return SUCCEEDED
        run = resume_run(store, run, iterations=arguments.iterations, seconds=arguments.seconds)
        return _execute(store, run, arguments, world)
    finally:
        distributed.leave()


def _world(device: str) -> distributed.World:
    return distributed.join(resolve(distributed.local_device(device)))


def _execute(store: Store, run: Run, arguments: Namespace, world: distributed.World) -> int:
    callbacks = () if arguments.json else (display.TrainingBar(run.name),)
    run = execute(store, run, callbacks, world=world)
    if arguments.json:
        display.print_json(_summary(run))
    else:
        display.say(_outcome(run))
    return {"finished": SUCCEEDED, "cancelled": CANCELLED}.get(run.status, FAILED)


def _best(run: Run) -> str:
    """`accuracy 97.3 ± 0.4%`; empty before the first validation."""
    if run.best_iteration is None:
        return ""
    return f"{SCORE_COLUMNS[run.metric][0]} {score(run.metric, run.best_value, run.best_ci95)}"


def _outcome(run: Run) -> str:
    text = (
        f"{run.name} ({run.id}) {run.status}: {run.iteration} meta-steps in"
        f" {display.duration(run.seconds)}"
    )
    if best := _best(run):
        text += f", best validation {best}"
    return f"{text}.\n{run.message}" if run.message else f"{text}."


def _summary(run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "name": run.name,
        "status": run.status,
        "message": run.message,
        "iterations": run.iteration,
        "seconds": round(run.seconds, 3),
        f"best_{run.metric}": run.best_value,
        "ci95": run.best_ci95,
        "best_iteration": run.best_iteration,
        "device": run.device_name or run.device,
        "created": run.created,
        "tags": list(run.tags),
        "note": run.note,
    }


def evaluate(arguments: Namespace) -> int:
    run = Store().get(arguments.run)
    if run.damage:
        print(run.damage, file=sys.stderr)
    with display.counting(run.name, arguments.episodes, quiet=arguments.json) as progress:
        result = library.evaluate(
            run,
            dataset=arguments.dataset,
            device=arguments.device,
            progress=progress,
            **protocol(arguments),
        )
    if arguments.json:
        display.print_json({"run": run.id, "name": run.name, **result.to_dict()})
        return SUCCEEDED
    asked = result.protocol
    rows = [[str(after.step), *_scores(result.metric, after)] for after in result.per_step]
    display.table(
        f"{run.name} on {_task(result.metric, vars(asked))}, {asked.episodes} episodes,"
        f" normalisation: {asked.norm}",
        ["inner steps", *SCORE_COLUMNS[result.metric]],
        rows,
    )
    return SUCCEEDED


SCORE_COLUMNS = {"accuracy": ["accuracy", "median"], "mse": ["MSE", "median", "diverged"]}


def _scores(metric: str, after: StepScore) -> list[str]:
    """The columns of SCORE_COLUMNS."""
    shown = [score(metric, after.mean, after.ci95), score(metric, after.median, None)]
    return [*shown, f"{after.diverged:.1%}"] if metric == "mse" else shown


def _task(metric: str, protocol: dict[str, Any]) -> str:
    """`omniglot (test), 5-way 1-shot`."""
    size = f"{protocol['ways']}-way {protocol['shots']}-shot"
    if metric == "mse":
        size = "1 point" if protocol["shots"] == 1 else f"{protocol['shots']} points"
    on = f"{protocol['dataset']} ({protocol['split']}), {size}"
    converted = protocol.get("conversion")
    return f"{on}, pictures {converted}" if converted else on


def compare(arguments: Namespace) -> int:
    total = arguments.episodes * len(arguments.runs)
    with display.counting("comparing", total, quiet=arguments.json) as progress:
        found = library.compare(
            arguments.runs,
            dataset=arguments.dataset,
            device=arguments.device,
            progress=progress,
            **protocol(arguments),
        )
    store = Store()
    rows = [
        {
            "run": run.id,
            "name": run.name,
            "algorithm": learner.algorithm.name,
            "parameters": learner.parameters,
            "training_seconds": round(run.seconds, 3),
            **evaluation.to_dict(),
        }
        for run, learner, evaluation in zip(
            [store.get(reference) for reference in arguments.runs],
            found.learners,
            found.evaluations,
            strict=True,
        )
    ]
    pairs = [
        {**pair.to_dict(), "mean": finite(pair.mean), "ci95": finite(pair.ci95)}
        for pair in found.differences
    ]
    metric = found.evaluations[0].metric
    configs = [learner.config for learner in found.learners]
    methods = over_seeds(configs, [evaluation.mean for evaluation in found.evaluations])
    methods = methods if repeated(methods) else []
    if arguments.cost:
        _add_costs(rows, found, arguments)
    if arguments.json:
        told = [method.to_dict() for method in methods]
        display.print_json({"runs": rows, "pairs": pairs, "methods": told})
        return SUCCEEDED
    _show_comparison(rows, pairs, metric)
    if methods:
        _show_methods(methods, metric)
    if arguments.cost:
        _show_costs(rows)
    return SUCCEEDED


def _add_costs(rows: list[dict[str, Any]], found: library.Comparison, arguments: Namespace) -> None:
    """Measured after all scores, on the first of the episodes that were compared."""
    for row, learner, evaluation in zip(rows, found.learners, found.evaluations, strict=True):
        asked = evaluation.protocol
        measured = library.cost(
            learner,
            dataset=arguments.dataset or found.learners[0].config.dataset,
            split=asked.split,
            seed=asked.seed,
            steps=asked.steps,
            norm=asked.norm,
            device=arguments.device,
            convert=arguments.convert,
            **asked.task,
        )
        row["cost"] = measured.to_dict()


def _show_costs(rows: list[dict[str, Any]]) -> None:
    batch = rows[0]["cost"]["batch"]
    display.table(
        "What a task leaves behind, and what it costs (medians, on one thread)",
        [
            "run",
            "keeps of a task",
            "bytes",
            "takes it in",
            "answers one query",
            f"answers all {batch}",
            "parameters",
        ],
        [
            [
                row["name"],
                row["cost"]["kept"],
                f"{row['cost']['kept_bytes']:,}",
                *(
                    f"{significant(row['cost'][name])} ms"
                    for name in ("take_in_ms", "answer_ms", "batch_ms")
                ),
                f"{row['parameters']:,}",
            ]
            for row in rows
        ],
    )


def _show_comparison(rows: list[dict[str, Any]], pairs: list[dict[str, Any]], metric: str) -> None:
    first = {**rows[0], "conversion": ""}
    converted = any(row["conversion"] for row in rows)
    display.table(
        f"{_task(metric, first)}, {first['episodes']} shared episodes",
        [
            "run",
            "algorithm",
            SCORE_COLUMNS[metric][0],
            "normalisation",
            "steps",
            "parameters",
            "trained for",
            *(["pictures"] if converted else []),
        ],
        [
            [
                row["name"],
                row["algorithm"],
                score(metric, row[metric], row["ci95"]),
                row["norm"],
                str(row["steps"] or "none"),
                f"{row['parameters']:,}",
                display.duration(row["training_seconds"]),
                *([row["conversion"] or "as they are"] if converted else []),
            ]
            for row in rows
        ],
    )
    for pair in pairs:
        display.say(pair["verdict"])


def _show_methods(methods: list[Method], metric: str) -> None:
    """What runs that differ in nothing but their seed are worth together."""
    display.table(
        f"Over seeds (± by Student's t; better than {methods[0].label} by, paired by seed)",
        ["method", "seeds", SCORE_COLUMNS[metric][0], "better by"],
        [
            [
                method.label,
                str(len(method.seeds)),
                score(metric, method.mean, method.ci95),
                "–" if method.apart is None else method.apart.text(metric),
            ]
            for method in methods
        ],
    )


def runs(arguments: Namespace) -> int:
    store = Store()
    Trainings(store).reconcile()
    found = store.runs()
    for sentence in store.notices():
        print(sentence, file=sys.stderr)
    if arguments.json:
        display.print_json([_summary(run) for run in found])
    elif not found:
        display.say("There are no runs yet: try metacore train --preset demo.")
    else:
        display.table(
            "Runs",
            ["id", "name", "status", "steps", "time", "best validation"],
            [
                [
                    run.id,
                    run.name,
                    run.status,
                    str(run.iteration),
                    display.duration(run.seconds),
                    _best(run) or "–",
                ]
                for run in found
            ],
        )
    return SUCCEEDED


def show(arguments: Namespace) -> int:
    store = Store()
    run = store.get(arguments.run)
    if arguments.json:
        environment = run.environment
        display.print_json({**_summary(run), "config": run.values, "environment": environment})
        return SUCCEEDED
    display.say(_outcome(run))
    for sentence in filter(None, (run.damage, flaw(run.folder))):
        display.say(sentence)
    if run.note:
        display.say(run.note)
    if run.config.teacher is not None:
        display.say(_lesson(store, run))
    rows = [
        [part, name, str(value)]
        for part, values in run.values.items()
        if isinstance(values, dict)
        for name, value in values.items()
    ]
    rows += [["run", name, str(run.values[name])] for name in ("seed", "device")]
    display.table("Config", ["part", "setting", "value"], rows)
    return SUCCEEDED


def _lesson(store: Store, run: Run) -> str:
    """Whom it learned from, and how to see what that was worth."""
    alone = teachers.untaught_twin(store.runs(), run)
    words = [run.config.teacher or "", run.id, *([alone.id] if alone else [])]
    command = shlex.join(["metacore", "compare", *words, "--cost"])
    said = f"Its teacher is {run.config.teacher}: {command}"
    return said if alone else f"{said}, and beside them a run of the same with --weight 0."


def cancel(arguments: Namespace) -> int:
    store = Store()
    before = store.get(arguments.run)
    run = cancel_run(store, before)
    return _told(arguments, run, _stopped(before, run))


def _stopped(before: Run, run: Run) -> str:
    if run.active:
        return f"{run.name} will stop at its next meta-step."
    if before.active:
        return f"{run.name} has ended: {run.message}"
    return f"{run.name} has ended before ({run.status}): there is nothing to stop."


def delete(arguments: Namespace) -> int:
    store = Store()
    run = store.find(arguments.run)
    if not (arguments.yes or arguments.json) and sys.stdin.isatty():
        answer = input(f"Delete {run.name} ({run.id}) with its weights? [y/N] ")
        if answer.strip().lower() not in ("y", "yes"):
            display.say("Nothing was deleted.")
            return SUCCEEDED
    store.delete(run)
    return _told(arguments, run, f"{run.name} is deleted.")


def export_(arguments: Namespace) -> int:
    store = Store()
    run = store.get(arguments.run)
    file = export(store, run, Path(arguments.file))
    return _told(arguments, run, f"{run.name} is in {file}.")


def import_file(arguments: Namespace) -> int:
    run = import_(Store(), Path(arguments.file))
    return _told(arguments, run, f"{run.name} is here as {run.id}.")


def _told(arguments: Namespace, run: Run, sentence: str) -> int:
    if arguments.json:
        display.print_json({"run": run.id, "name": run.name, "status": run.status})
    else:
        display.say(sentence)
    return SUCCEEDED

"""Makes the runs that come with Metacore: `make pretrained`, or this file with some names.

Budgets are meta-steps, so the same computer makes the same weights again; how many seconds they
took here stands in each run.json, so make them on an idle computer: about half an hour on two
cores. Only the best weights are kept, without the optimiser's memory, and tested on the way.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import metacore as mc
from metacore.algorithms import ALGORITHMS
from metacore.runs.bundled import PRETRAINED, bundle
from metacore.runs.job import FINISHED
from metacore.statistics import score
from metacore.training.presets import pairs

DATASETS = ("glyphs", "sinusoid")
META_STEPS = {"glyphs": 4000, "sinusoid": 30_000}
OTHERS = {  # methods that learn more slowly, or whose meta-steps are larger
    ("reptile", "glyphs"): 7000,
    ("fomaml", "glyphs"): 6000,
    ("maml++", "glyphs"): 2000,
    ("reader", "glyphs"): 6000,
    ("memory", "glyphs"): 2500,
    ("reptile", "sinusoid"): 15_000,
    ("reader", "sinusoid"): 4000,
    ("reader", "gp"): 8000,
    ("protonet", "quickdraw"): 1400,
    ("protonet", "emoji"): 2000,
}
AS_THEY_COME = {("centroid", "quickdraw"), ("centroid", "emoji")}  # nothing is trained for these
SHOTS = {"gp": 10}
NOT_SHIPPED = {  # they would take more room than there is for all
    ("distil-classes", "glyphs"),  # with its teacher's last layer
    ("memory", "sinusoid"),
    ("centroid", "glyphs"),  # characters are no photographs
}
VALIDATIONS = 25


def config(algorithm: str, dataset: str) -> mc.RunConfig:
    """The preset `good`, for longer."""
    usual = mc.preset(algorithm, dataset, "good", shots=SHOTS.get(dataset))
    if not usual.learns:
        return usual
    steps = OTHERS.get((algorithm, dataset)) or META_STEPS[dataset]
    validations = VALIDATIONS if steps > 1000 else 10  # which take longer than those steps
    budget = {"iterations": steps, "validate_every": steps // validations}
    return usual.replace(training=replace(usual.training, **budget))


def make(algorithm: str, dataset: str) -> mc.Run:
    kind = ALGORITHMS[algorithm]
    with tempfile.TemporaryDirectory() as folder:
        store = mc.Store(Path(folder))
        run = mc.train(config(algorithm, dataset), name=f"{kind.title} on {dataset}", store=store)
        if run.status != FINISHED:
            sys.exit(f"{run.name} was not trained to its end: {run.message}")
        return bundle(run, store.metrics(run), PRETRAINED / f"{algorithm}-{dataset}")


def told(run: mc.Run) -> str:
    best = score(run.metric, run.best_value, run.best_ci95)
    assert run.tested is not None  # `bundle` has just done it
    test = score(run.metric, run.tested.mean, run.tested.ci95)
    steps = f"{run.iteration} meta-steps in {run.seconds:.0f} s"
    return f"{test} on test tasks, {best} in validation, after {steps}"


def main(wanted: list[str]) -> None:
    for algorithm, dataset in pairs():
        name = f"{algorithm}-{dataset}"
        shipped = dataset in DATASETS or (algorithm, dataset) in {*OTHERS, *AS_THEY_COME}
        shipped = shipped and (algorithm, dataset) not in NOT_SHIPPED
        if shipped and (not wanted or name in wanted):
            run = make(algorithm, dataset)
            print(f"{name}: {told(run)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

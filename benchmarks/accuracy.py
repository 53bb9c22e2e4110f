"""How accurate the presets are, beside the published numbers.

    python -m benchmarks.accuracy presets [--algorithms maml protonet] [--seconds 90 300]
    python -m benchmarks.accuracy transfer [--seconds 300]               glyphs -> real drawings
    python -m benchmarks.accuracy sinusoid [--seconds 90]                errors after 1, 5, 10 steps
    python -m benchmarks.accuracy paper --device cuda [--seconds 500]    the published protocols

Runs are kept in the run store like any other, weights included; accuracies are those of the best
weights by validation, on fixed test episodes.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import metacore as mc
from benchmarks.measure import markdown
from benchmarks.report import circumstances, heading, save, say
from metacore.datasets.omniglot import OmniglotConfig
from metacore.insight.published import published, published_curve
from metacore.training.evaluate import Evaluation, StepScore
from metacore.training.learner import Learner
from metacore.training.presets import pairs

HEADER = [
    "algorithm",
    "trained on",
    "tested on",
    "task",
    "trained for",
    "parameters",
    "accuracy, %",
    "norm",
    "published, %",
    "600 episodes take",
]
PUBLISHED_STEPS = (1, 5, 10)


@dataclass(frozen=True)
class Trained:
    """A run, what it has learned, and the words for it."""

    run: mc.Run
    learner: Learner
    budget: str

    @property
    def parameters(self) -> int:
        learned = self.learner.algorithm.parts.learned(self.learner.params)
        return sum(value.numel() for value in learned.values())


def main() -> None:
    arguments = _arguments()
    arguments.about = circumstances(arguments.device)
    arguments.table(arguments)


def presets(arguments: argparse.Namespace) -> None:
    """The `good` presets within some seconds."""
    results = [
        result
        for dataset in arguments.datasets
        for algorithm in arguments.algorithms
        for seconds in arguments.seconds
        for result in _evaluated(
            _train(algorithm, dataset, "good", seconds, arguments), [None], arguments
        )
    ]
    _print_accuracies("Accuracy of the `good` presets", results, arguments)


def transfer(arguments: argparse.Namespace) -> None:
    """Trained on invented characters alone, tested on real ones."""
    targets = [None, OmniglotConfig(split="vinyals"), OmniglotConfig(split="authors")]
    results = [
        result
        for algorithm in arguments.algorithms
        for seconds in arguments.seconds
        for result in _evaluated(
            _train(algorithm, "glyphs", "good", seconds, arguments), targets, arguments
        )
    ]
    _print_accuracies("From glyphs to Omniglot", results, arguments)


def paper(arguments: argparse.Namespace) -> None:
    """The published protocols; `--seconds` may cut them short, and the table says so."""
    results = [
        result
        for algorithm in arguments.algorithms
        for result in _evaluated(
            _train(algorithm, "omniglot", "paper", arguments.seconds[0], arguments),
            [None],
            arguments,
        )
    ]
    _print_accuracies("The published protocols on Omniglot", results, arguments)


def sinusoid(arguments: argparse.Namespace) -> None:
    """Errors of MAML, of a network pretrained on all waves, and of none, after inner steps."""
    header = ["algorithm", "trained for", "after", "mean squared error", "median", "diverged tasks"]
    rows: list[list[str]] = []
    results: list[dict[str, Any]] = []
    for algorithm in arguments.algorithms:
        trained = _train(algorithm, "sinusoid", "good", arguments.seconds[0], arguments)
        evaluation = mc.evaluate(
            trained.learner, shots=5, steps=10, episodes=arguments.episodes, seed=arguments.seed
        )
        rows += _curve_rows(trained, evaluation)
        results.append({"run": trained.run.name, **evaluation.to_dict()})
    title = f"Sine waves from 5 points, {arguments.episodes} test tasks"
    print(heading(title, arguments.about))
    print("\n".join(markdown([*header, "published"], rows)))
    save(arguments.json, arguments.about, results)


def _train(
    algorithm: str, dataset: str, level: str, seconds: float, arguments: argparse.Namespace
) -> Trained:
    """Trains the preset; `seconds` 0 leaves the preset's own budget."""
    shots = None if dataset == "sinusoid" else arguments.shots
    config = mc.preset(
        algorithm,
        dataset,
        level,
        ways=getattr(arguments, "ways", 5),
        shots=shots,
        seed=arguments.seed,
        device=arguments.device,
    )
    if seconds:
        config = config.replace(training=replace(config.training, seconds=seconds))
    say(f"training {algorithm} on {dataset} ({_allowed(config)})")
    run = mc.train(config, name=f"benchmark {algorithm} {dataset}")
    return Trained(run, mc.load(run, device=arguments.device), _spent(config, run))


def _allowed(config: mc.RunConfig) -> str:
    training = config.training
    limits = [f"{training.seconds:g} s"] * bool(training.seconds)
    limits += [f"{training.iterations:,} steps"] * bool(training.iterations)
    return " or ".join(limits)


def _spent(config: mc.RunConfig, run: mc.Run) -> str:
    if not config.algorithm_class.trains:
        return "not trained"
    planned = config.training.iterations
    of = f" of {planned:,}" if planned > run.iteration else ""
    return f"{run.seconds:.0f} s, {run.iteration:,}{of} steps"


def _evaluated(
    trained: Trained, targets: list[OmniglotConfig | None], arguments: argparse.Namespace
) -> Iterator[tuple[Trained, str, Evaluation]]:
    """The run on its own dataset (None) or on others, in the norm modes asked for."""
    algorithm = trained.learner.algorithm
    norms = algorithm.norms if arguments.every_norm else algorithm.norms[:1]
    for target in targets:
        for norm in norms:
            evaluation = mc.evaluate(
                trained.learner,
                dataset=target,
                norm=norm,
                episodes=arguments.episodes,
                seed=arguments.seed,
                device=arguments.device,
            )
            where = _tested_on(target or trained.learner.config.dataset)
            say(f"  {where}, {norm}: {_percent(evaluation.mean, evaluation.ci95)}")
            yield trained, where, evaluation


def _tested_on(config: Any) -> str:
    if isinstance(config, OmniglotConfig):
        return f"omniglot ({config.split}{', rotations' * config.rotations})"
    return "glyphs"


def _print_accuracies(
    title: str,
    results: list[tuple[Trained, str, Evaluation]],
    arguments: argparse.Namespace,
) -> None:
    print(heading(title, arguments.about))
    print("\n".join(markdown(HEADER, [_row(*result) for result in results])))
    save(arguments.json, arguments.about, [_record(*result) for result in results])


def _row(trained: Trained, tested_on: str, evaluation: Evaluation) -> list[str]:
    protocol = evaluation.protocol
    return [
        trained.learner.algorithm.name,
        trained.learner.dataset.name,
        tested_on,
        f"{protocol.ways}-way {protocol.shots}-shot, {_steps(protocol.steps)}",
        trained.budget,
        f"{trained.parameters:,}",
        _percent(evaluation.mean, evaluation.ci95),
        protocol.norm,
        _published(trained, evaluation),
        f"{evaluation.seconds * 600 / protocol.episodes:.1f} s",
    ]


def _published(trained: Trained, evaluation: Evaluation) -> str:
    """The paper's number, with its own norm mode where it is another than ours."""
    protocol, method = evaluation.protocol, trained.learner.algorithm.name
    if trained.learner.dataset.name != protocol.dataset:
        return "–"
    task = {"ways": protocol.ways, "shots": protocol.shots}
    entry = published(method, protocol.dataset, **task, norm=protocol.norm)
    if entry is None:
        return "–"
    other = f" ({entry.norm})" if entry.norm not in ("", protocol.norm) else ""
    return _percent(entry.value, entry.ci95) + other


def _record(trained: Trained, tested_on: str, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "run": trained.run.name,
        "config": trained.run.config.to_dict(),
        "iterations": trained.run.iteration,
        "training_seconds": trained.run.seconds,
        "parameters": trained.parameters,
        "tested_on": tested_on,
        **evaluation.to_dict(),
    }


def _curve_rows(trained: Trained, evaluation: Evaluation) -> list[list[str]]:
    name = trained.learner.algorithm.name
    curve = published_curve(name, "sinusoid")
    scores = {score.step: score for score in evaluation.per_step}
    return [
        [
            name,
            trained.budget,
            _steps(step),
            *_errors(scores[step]),
            f"{curve.mse[step]:g}" if curve else "–",
        ]
        for step in PUBLISHED_STEPS
    ]


def _errors(score: StepScore) -> list[str]:
    return [
        f"{score.mean:.3g} ± {score.ci95:.2g}",
        f"{score.median:.3g}",
        f"{score.diverged:.1%}",
    ]


def _steps(count: int) -> str:
    return f"{count} step{'s' * (count != 1)}"


def _percent(mean: float, ci95: float | None) -> str:
    return f"{100 * mean:.2f}" + (f" ± {100 * ci95:.2f}" if ci95 is not None else "")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    tables = parser.add_subparsers(required=True)
    everyone = [algorithm for algorithm, dataset in pairs() if dataset == "omniglot"]
    command = _table(tables, presets, algorithms=everyone, seconds=[90.0])
    command.add_argument("--datasets", nargs="+", choices=("omniglot", "glyphs"))
    command.set_defaults(datasets=["omniglot"])
    _table(tables, transfer, algorithms=["protonet"], choices=everyone, seconds=[300.0])
    _table(tables, paper, algorithms=everyone, seconds=[0.0])
    waves = ["maml", "finetune", "scratch"]
    _table(tables, sinusoid, algorithms=waves, choices=everyone, seconds=[90.0])
    return parser.parse_args()


def _table(
    tables: Any,
    table: Any,
    *,
    algorithms: list[str],
    seconds: list[float],
    choices: list[str] | None = None,
) -> argparse.ArgumentParser:
    """A subcommand with what all of them take."""
    command: argparse.ArgumentParser = tables.add_parser(table.__name__, help=table.__doc__)
    command.set_defaults(table=table)
    command.add_argument(
        "--algorithms", nargs="+", choices=choices or algorithms, default=algorithms
    )
    several = table in (presets, transfer)
    help_ = "of training" + (", one row each" if several else "; 0 for the preset's own budget")
    command.add_argument(
        "--seconds", nargs="+" if several else 1, type=float, default=seconds, help=help_
    )
    if table is not sinusoid:
        command.add_argument("--ways", type=int, default=5)
        command.add_argument("--shots", type=int, default=1)
        command.add_argument("--every-norm", action="store_true", help="a row for each norm mode")
    command.add_argument("--episodes", type=int, default=600)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--device", default="cpu", help="cpu, cuda or auto")
    command.add_argument("--json", type=Path, help="also write every number to this file")
    return command


if __name__ == "__main__":
    main()

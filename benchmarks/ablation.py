"""What each part of MAML++ contributes: all of it, all but one, and MAML, over seeds.

    python -m benchmarks.ablation [--dataset glyphs] [--seeds 5] [--iterations 2000]

Every method gets the same meta-steps, tasks, inner steps and first inner rate, and every seed the
same first weights and tasks in all of them, so differences are paired by seed. Runs are kept in
the run store, where the Compare page takes them together, too; one that is there is not trained
again.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import metacore as mc
from benchmarks.measure import markdown
from benchmarks.report import circumstances, heading, save, say
from metacore.algorithms.maml import MAMLConfig
from metacore.statistics import score
from metacore.training.seeds import Method, over_seeds

Change = Callable[[mc.RunConfig], mc.RunConfig]
FULL: dict[str, Any] = {
    "learned_rates": True,
    "every_step_until": 0.1,
    "first_order_until": 0.2,
    "step_norms": True,
}
OFF: dict[str, Any] = {
    "learned_rates": False,
    "every_step_until": 0.0,
    "first_order_until": 0.0,
    "step_norms": False,
}


def main() -> None:
    arguments = _arguments()
    about = circumstances(arguments.device)
    runs = [
        _run(method, change(_full(arguments, seed)))
        for method, change in _methods().items()
        for seed in range(arguments.seeds)
    ]
    found = [mc.evaluate(run, device=arguments.device, episodes=arguments.episodes) for run in runs]
    metric = found[0].metric
    methods = over_seeds([run.config for run in runs], [one.mean for one in found])
    rows = [
        [name, *_cells(method, metric), _minutes(runs, method)]
        for name, method in zip(_methods(), methods, strict=True)
    ]
    title = (
        f"MAML++ on {arguments.dataset}, {arguments.iterations:,} meta-steps,"
        f" {runs[0].config.algorithm.inner_steps} inner steps, {arguments.seeds} seeds,"
        f" {arguments.episodes} test tasks"
    )
    header = ["method", "seeds", metric, "better than MAML++ by", "mean minutes of training"]
    print(heading(title, about))
    print("\n".join(markdown(header, rows)))
    save(arguments.json, about, [method.to_dict() for method in methods])


def _methods() -> dict[str, Change]:
    """How each is made of the full method, which stands first."""
    return {
        "MAML++": lambda config: config,
        **{f"without {_words(name)}": _without(**{name: OFF[name]}) for name in OFF},
        "without the cosine schedule": _constant,
        "none of them: MAML": _maml,
        "MAML, cosine schedule": _maml_with_cosine,
    }


def _words(name: str) -> str:
    return {
        "learned_rates": "learned rates",
        "every_step_until": "the loss at every step",
        "first_order_until": "first-order gradients at first",
        "step_norms": "norms per step",
    }[name]


def _without(**off: Any) -> Change:
    return lambda config: config.replace(algorithm=replace(config.algorithm, **off))


def _constant(config: mc.RunConfig) -> mc.RunConfig:
    return config.replace(training=replace(config.training, schedule="constant"))


def _maml_with_cosine(config: mc.RunConfig) -> mc.RunConfig:
    names = ("inner_rate", "inner_steps", "test_steps")
    loop = {name: getattr(config.algorithm, name) for name in names}
    return config.replace(algorithm=MAMLConfig(**loop))


def _maml(config: mc.RunConfig) -> mc.RunConfig:
    return _constant(_maml_with_cosine(config))


def _full(arguments: argparse.Namespace, seed: int) -> mc.RunConfig:
    config = mc.preset(
        "maml++",
        arguments.dataset,
        "good",
        ways=arguments.ways,
        seed=seed,
        device=arguments.device,
    )
    steps, rate = arguments.inner_steps, arguments.inner_rate
    loop: dict[str, Any] = {"inner_steps": steps, "test_steps": steps} if steps else {}
    loop |= {"inner_rate": rate} if rate else {}
    asked = {"iterations": arguments.iterations, "schedule": "cosine"}
    return config.replace(
        algorithm=replace(config.algorithm, **FULL, **loop),
        training=replace(config.training, **asked, validate_every=0),
    )


def _run(method: str, config: mc.RunConfig) -> mc.Run:
    """Trained now, unless the store has it."""
    for run in mc.Store().runs():
        if run.config == config and run.status == "finished":
            return run
    say(f"training {method}, seed {config.seed}")
    return mc.train(config, name=f"{method}, seed {config.seed}")


def _cells(method: Method, metric: str) -> list[str]:
    apart = "–" if method.apart is None else method.apart.text(metric)
    return [str(len(method.seeds)), score(metric, method.mean, method.ci95), apart]


def _minutes(runs: list[mc.Run], method: Method) -> str:
    seconds = [runs[place].seconds for place in method.places]
    return f"{sum(seconds) / len(seconds) / 60:.1f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="glyphs")
    parser.add_argument("--ways", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=2000)
    parser.add_argument("--inner-steps", type=int, help="also at test; else as in the preset")
    parser.add_argument("--inner-rate", type=float, help="to begin with; else as in the preset")
    parser.add_argument("--episodes", type=int, default=600)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()

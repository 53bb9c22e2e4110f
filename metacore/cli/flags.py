"""Command-line flags generated from config dataclasses, and the run they describe."""

import argparse
from dataclasses import replace
from typing import Any, NoReturn

from metacore.algorithms import ALGORITHMS
from metacore.datasets import DATASETS
from metacore.device import DEVICES
from metacore.errors import UserError
from metacore.models import MODELS
from metacore.settings import Config, Setting, settings_of
from metacore.training.config import RunConfig, TaskConfig, TrainingConfig, lookup
from metacore.training.presets import PRESETS, preset


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the usage."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message[0].upper()}{message[1:]}. See {self.prog} --help.")


def add_config_flags(parser: argparse.ArgumentParser, title: str, config: type[Config]) -> None:
    """One flag per setting; a flag not given is absent from the result."""
    group = parser.add_argument_group(title)
    for setting in settings_of(config):
        _add(group, setting)


def _add(group: argparse._ArgumentGroup, setting: Setting) -> None:
    flag = "--" + setting.name.replace("_", "-")
    text = f"{setting.help} Default: {setting.default}.".replace("%", "%%")
    common: dict[str, Any] = {"dest": setting.name, "default": argparse.SUPPRESS, "help": text}
    if setting.type is bool:
        group.add_argument(flag, action=argparse.BooleanOptionalAction, **common)
        return
    metavar = "{" + ",".join(setting.choices) + "}" if setting.choices else None
    name = {int: "N", float: "X", str: "WORD"}[setting.type]
    group.add_argument(flag, type=setting.type, metavar=metavar or name, **common)


def add_run_choice(parser: argparse.ArgumentParser) -> None:
    """What is asked first, because the other flags depend on it."""
    parser.add_argument("--algorithm", default="maml", help=f"One of {', '.join(ALGORITHMS)}.")
    parser.add_argument("--dataset", default="glyphs", help=f"One of {', '.join(DATASETS)}.")
    parser.add_argument("--model", default=None, help=f"One of {', '.join(MODELS)}.")
    parser.add_argument("--preset", default="good", help=f"One of {', '.join(PRESETS)}.")
    parser.add_argument("--seed", type=int, default=0, help="Names every random choice of the run.")
    parser.add_argument("--device", default="auto", help=f"One of {', '.join(DEVICES)}.")


def add_run_flags(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """The settings of the algorithm, dataset and model that `words` choose."""
    first = Parser(add_help=False, prog=parser.prog)
    add_run_choice(first)
    chosen, _ = first.parse_known_args(words)
    config = preset(chosen.algorithm, chosen.dataset, chosen.preset)
    model = lookup(MODELS, "model", chosen.model) if chosen.model else type(config.model)
    add_run_choice(parser)
    add_config_flags(parser, "the few-shot task", TaskConfig)
    add_config_flags(parser, f"algorithm {chosen.algorithm}", type(config.algorithm))
    add_config_flags(parser, f"dataset {chosen.dataset}", type(config.dataset))
    add_config_flags(parser, "model", model)
    add_config_flags(parser, "training (defaults are the preset's)", TrainingConfig)


def run_config(arguments: argparse.Namespace) -> RunConfig:
    """The preset's run with what was given on the command line instead."""
    given = vars(arguments)
    config = preset(
        arguments.algorithm,
        arguments.dataset,
        arguments.preset,
        ways=given.get("ways", 5),
        shots=given.get("shots"),
        seed=arguments.seed,
        device=arguments.device,
    )
    if arguments.model:
        config = config.replace(model=lookup(MODELS, "model", arguments.model)())
    if "iterations" in given or "seconds" in given:  # a budget that is given replaces the preset's
        given = {"iterations": 0, "seconds": 0.0, **given}
    parts = ("algorithm", "dataset", "model", "task", "training")
    return config.replace(**{part: _changed(getattr(config, part), given) for part in parts})


def _changed(config: Config, given: dict[str, Any]) -> Config:
    names = {setting.name for setting in settings_of(config)}
    return replace(config, **{name: value for name, value in given.items() if name in names})


def add_protocol_flags(parser: argparse.ArgumentParser) -> None:
    """What an evaluation asks; anything left out is as the run was trained."""
    parser.add_argument("--dataset", help=f"Test on another dataset: {', '.join(DATASETS)}.")
    parser.add_argument("--split", default="test", help="train, val or test.")
    parser.add_argument("--ways", type=int, metavar="N", help="Classes per episode.")
    parser.add_argument("--shots", type=int, metavar="K", help="Labelled examples per class.")
    parser.add_argument("--queries", type=int, metavar="Q", help="Queries per class.")
    parser.add_argument("--steps", type=int, metavar="S", help="Inner steps.")
    parser.add_argument("--episodes", type=int, default=600, metavar="E", help="Default: 600.")
    parser.add_argument("--norm", help="transductive, support+query, support or running.")
    parser.add_argument("--seed", type=int, default=0, help="Names the episodes. Default: 0.")
    parser.add_argument("--device", default="auto", help=f"One of {', '.join(DEVICES)}.")


def protocol(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("split", "ways", "shots", "queries", "steps", "episodes", "norm", "seed")
    return {name: getattr(arguments, name) for name in names}

"""Command-line flags generated from config dataclasses, and the run they describe."""

import argparse
import difflib
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NoReturn

from metacore.algorithms import ALGORITHMS
from metacore.datasets import DATASETS
from metacore.device import DEVICES
from metacore.errors import UserError
from metacore.models import MODELS
from metacore.settings import LARGEST, Config, Setting, settings_of
from metacore.training.config import RunConfig, lookup
from metacore.training.presets import preset


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the usage; flags are written out in full."""

    choice = ""  # what its flags depend on

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        message = re.sub(r"^argument ([^:]+): ", r"\1 ", message)
        message = re.sub(r"^COMMAND invalid choice: (\S+) \((.+)\)$", r"no command \1: \2", message)
        raise UserError(f"{message[0].upper()}{message[1:]}. See {self.prog} --help.")

    def refuse(self, words: list[str]) -> NoReturn:
        """Of words no flag or place was found for."""
        flag = next((word for word in words if word.startswith("--")), None)
        if flag is None:
            raise UserError(f"{words[0]!r} is one word too many. See {self.prog} --help.")
        flags = [known for action in self._actions for known in action.option_strings]
        near = difflib.get_close_matches(flag, flags, n=1, cutoff=0.75)
        hint = f": did you mean {near[0]}?" if near else f". See {self.prog} --help."
        raise UserError(f"{self.prog} has no flag {flag}{self.choice}{hint}")


def whole(text: str) -> int:
    """`1e5` is a whole number too."""
    try:
        number = float(text) if re.search("[.eE]", text) else int(text)
    except ValueError:
        number = math.nan
    if number != number or number in (math.inf, -math.inf) or number != int(number):
        shown = text if len(text) < 40 else f"{text[:20]}…"
        raise argparse.ArgumentTypeError(f"must be a whole number, not {shown!r}")
    if abs(number) > LARGEST:
        raise argparse.ArgumentTypeError("has too many digits")
    return int(number)


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from None


def add_config_flags(parser: argparse.ArgumentParser, title: str, config: Config) -> None:
    """One flag per setting; a flag not given is absent from the result."""
    group = parser.add_argument_group(title)
    for setting in settings_of(config):
        _add(group, setting, getattr(config, setting.name))


def _add(group: argparse._ArgumentGroup, setting: Setting, default: Any) -> None:
    flag = "--" + setting.name.replace("_", "-")
    text = f"{setting.help} Default: {_said(default)}.".replace("%", "%%")
    common: dict[str, Any] = {"dest": setting.name, "default": argparse.SUPPRESS, "help": text}
    if setting.type is bool:
        group.add_argument(flag, action=argparse.BooleanOptionalAction, **common)
        return
    metavar = "{" + ",".join(setting.choices) + "}" if setting.choices else None
    name = {int: "N", float: "X", str: "WORD"}[setting.type]
    name = "PATH" if setting.path else "RUN" if setting.run else name
    read: dict[type, Callable[[str], Any]] = {int: whole, float: number, str: str}
    group.add_argument(flag, type=read[setting.type], metavar=metavar or name, **common)


def _said(default: Any) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"{default:g}" if isinstance(default, float) else str(default)


def add_run_choice(parser: argparse.ArgumentParser) -> None:
    """What is asked first, because the other flags and their defaults depend on it."""
    choice = parser.add_argument_group("what to train")
    choice.add_argument("--algorithm", default="maml", metavar="NAME", help=_one_of(ALGORITHMS))
    choice.add_argument("--dataset", default="glyphs", metavar="NAME", help=_one_of(DATASETS))
    choice.add_argument(
        "--model", metavar="NAME", help=f"{_one_of(MODELS)} The preset chooses one that fits."
    )
    choice.add_argument(
        "--preset",
        default="good",
        metavar="NAME",
        help="demo: under a minute on two cores; good: a few minutes; paper: the published"
        " protocol. Default: good.",
    )
    choice.add_argument(
        "--seed",
        type=whole,
        default=0,
        metavar="N",
        help="Names every random choice of the run. Default: 0.",
    )
    choice.add_argument("--device", default="auto", metavar="NAME", help=_one_of(DEVICES))


def _one_of(names: Iterable[str]) -> str:
    return f"One of {', '.join(names)}."


def add_run_flags(parser: Parser, words: list[str]) -> None:
    """The settings of the algorithm, dataset and model that `words` choose."""
    first = Parser(add_help=False, prog=parser.prog)
    add_run_choice(first)
    chosen, _ = first.parse_known_args(words)
    config = preset(chosen.algorithm, chosen.dataset, chosen.preset)
    model = lookup(MODELS, "model", chosen.model)() if chosen.model else config.model
    name = chosen.model or config.model_name
    add_run_choice(parser)
    add_config_flags(parser, "the few-shot task", config.task)
    add_config_flags(parser, f"algorithm {chosen.algorithm}", config.algorithm)
    add_config_flags(parser, f"dataset {chosen.dataset}", config.dataset)
    add_config_flags(parser, f"model {name}", model)
    add_config_flags(parser, "training", config.training)
    parser.choice = f" for {chosen.algorithm} on {chosen.dataset}"
    parser.description = (
        "Meta-train a network here and now. Other choices of algorithm, dataset and model have"
        f" other flags; defaults are those of the preset {chosen.preset}{parser.choice}."
    )


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
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        help=f"Test on another dataset: {', '.join(DATASETS)}; of pictures of your own,"
        " folder:PATH.",
    )
    parser.add_argument(
        "--convert",
        action="store_true",
        help="Turn pictures of another kind or size into such as the run takes.",
    )
    parser.add_argument(
        "--split", default="test", metavar="NAME", help="train, val or test. Default: test."
    )
    parser.add_argument("--ways", type=whole, metavar="N", help="Classes per episode.")
    parser.add_argument("--shots", type=whole, metavar="K", help="Labelled examples per class.")
    parser.add_argument("--queries", type=whole, metavar="Q", help="Queries per class.")
    parser.add_argument("--steps", type=whole, metavar="S", help="Inner steps.")
    parser.add_argument(
        "--episodes", type=whole, default=600, metavar="E", help="How many. Default: 600."
    )
    parser.add_argument(
        "--norm",
        metavar="MODE",
        help="Whose statistics batch normalisation uses: transductive, support+query, support or"
        " running.",
    )
    parser.add_argument(
        "--seed", type=whole, default=0, metavar="N", help="Names the episodes. Default: 0."
    )
    parser.add_argument("--device", default="auto", metavar="NAME", help=_one_of(DEVICES))


def protocol(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("split", "ways", "shots", "queries", "steps", "episodes", "norm", "seed", "convert")
    return {name: getattr(arguments, name) for name in names}

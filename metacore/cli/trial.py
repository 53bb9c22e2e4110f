"""`metacore trial`: pictures in folders, answered by runs."""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metacore import library
from metacore.archives import LOOSE
from metacore.cli import display
from metacore.cli.flags import Parser, whole
from metacore.device import DEVICES
from metacore.errors import UserError
from metacore.pictures import COLOUR
from metacore.runs import Run, Store
from metacore.training.config import refuse_other_inputs
from metacore.trial.folders import read_classes, read_folder
from metacore.trial.picture import DRAWN, Picture
from metacore.trial.task import Answer, Trial, adapt, check, pixels, sees


@dataclass(frozen=True)
class Participant:
    run: Run
    algorithm: str
    answer: Answer


def add_flags(parser: Parser) -> None:
    parser.add_argument("runs", metavar="RUN", nargs="+", help="Names or ids of runs on pictures.")
    parser.add_argument(
        "--support",
        metavar="DIR",
        type=Path,
        required=True,
        help="What the runs learn from: a folder of pictures (PNG, JPEG, WebP) per class.",
    )
    parser.add_argument(
        "--query",
        metavar="DIR",
        type=Path,
        required=True,
        help="What they are asked: pictures, or a folder of them per class to count who is right.",
    )
    parser.add_argument("--steps", type=whole, metavar="S", help="Inner steps.")
    parser.add_argument(
        "--norm",
        metavar="MODE",
        help="Whose statistics batch normalisation uses: support+query, support, running or"
        " transductive. By default no query helps another.",
    )
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help=f"One of {', '.join(DEVICES)}."
    )


def trial(arguments: Namespace) -> int:
    store = Store()
    runs = [store.get(reference) for reference in arguments.runs]
    first = runs[0].config
    for run in runs[1:]:
        refuse_other_inputs(run.config, first.dataset, run.name, convert=None)
    usual = DRAWN if first.dataset_class.regression else first.input_shape
    shape = sees(first, photographs=usual[0] == COLOUR) or usual
    asked = read_trial(arguments.support, arguments.query, shape)
    check(asked)
    support, query = pixels(sum(asked.support, ())), pixels(asked.query)
    labels = [label for label, shots in enumerate(asked.support) for _ in shots]
    how = {"ways": len(asked.classes), "steps": arguments.steps, "norm": arguments.norm}
    participants = []
    for run in runs:
        learner = library.load(run, device=arguments.device)
        said = adapt(learner, support, labels, **how).answer(query)
        participants.append(Participant(run, learner.algorithm.name, said))
    if arguments.json:
        display.print_json(_report(asked, participants))
    else:
        _show(asked, participants)
    return 0


def read_trial(support: Path, query: Path, shape: tuple[int, ...] = DRAWN) -> Trial:
    """Classes are the folders of `support`; folders of `query` name the same ones."""
    known, asked = read_classes(support, shape), read_folder(query, shape)
    classes = tuple(known)
    stranger = next((name for name in asked if name not in (*classes, LOOSE)), None)
    if stranger is not None:
        raise UserError(f"{query / stranger} is a class that {support} has no folder of.")
    pairs = [(picture, name) for name, pictures in asked.items() for picture in pictures]
    return Trial(
        classes=classes,
        support=tuple(tuple(pictures) for pictures in known.values()),
        query=tuple(picture for picture, _ in pairs),
        labels=tuple(classes.index(name) if name else None for _, name in pairs),
    )


def _right(asked: Trial, found: Answer) -> tuple[int, int]:
    """How many of the queries whose class is known were answered rightly."""
    pairs = zip(asked.labels, found.choices, strict=True)
    known = [label == choice for label, choice in pairs if label is not None]
    return sum(known), len(known)


def _report(asked: Trial, participants: list[Participant]) -> dict[str, Any]:
    shots = [len(examples) for examples in asked.support]
    return {
        "classes": list(asked.classes),
        "shots": dict(zip(asked.classes, shots, strict=True)),
        "runs": [_summary(asked, each) for each in participants],
        "queries": [_query(asked, participants, number) for number in range(len(asked.query))],
    }


def _summary(asked: Trial, each: Participant) -> dict[str, Any]:
    right, known = _right(asked, each.answer)
    return {
        "run": each.run.id,
        "name": each.run.name,
        "algorithm": each.algorithm,
        "norm": each.answer.norm,
        "steps": each.answer.steps[-1],
        "right": right,
        "labelled": known,
        "accuracy": right / known if known else None,
    }


def _query(asked: Trial, participants: list[Participant], number: int) -> dict[str, Any]:
    label = asked.labels[number]
    return {
        "file": _name(asked, number),
        "class": None if label is None else asked.classes[label],
        "answers": [_answer(asked, each, number) for each in participants],
    }


def _answer(asked: Trial, each: Participant, number: int) -> dict[str, Any]:
    shares = [round(float(share), 6) for share in each.answer.probabilities[-1, number]]
    choice = each.answer.choices[number]
    return {
        "run": each.run.id,
        "answer": asked.classes[choice],
        "confidence": shares[choice],
        "probabilities": dict(zip(asked.classes, shares, strict=True)),
    }


def _name(asked: Trial, number: int) -> str:
    example = asked.query[number]
    assert isinstance(example, Picture), "a folder has pictures in it"
    return example.name


def _show(asked: Trial, participants: list[Participant]) -> None:
    rows = [_row(asked, participants, number) for number in range(len(asked.query))]
    scores = [_right(asked, each.answer) for each in participants]
    if scores[0][1]:
        rows.append(["right", *(f"{right} of {of} ({right / of:.0%})" for right, of in scores)])
    shots = " or ".join(map(str, sorted({len(examples) for examples in asked.support})))
    norms = ", ".join(f"{each.run.name} {each.answer.norm}" for each in participants)
    display.table(
        f"{len(asked.classes)} classes, {shots} {'shot' if shots == '1' else 'shots'};"
        f" normalisation: {norms}",
        ["query", *(each.run.name for each in participants)],
        rows,
    )


def _row(asked: Trial, participants: list[Participant], number: int) -> list[str]:
    answers = [_answer(asked, each, number) for each in participants]
    said = [f"{found['answer']} {found['confidence']:.0%}" for found in answers]
    return [_name(asked, number), *said]

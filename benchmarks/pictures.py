"""Real pictures: what is learned from them, what pretrained features know already, and whether the
Trial page says the same as an evaluation.

    python -m benchmarks.pictures learned [--seconds 300] [--on emoji]   ProtoNet trained on them
    python -m benchmarks.pictures known                     features of photographs, and raw pixels
    python -m benchmarks.pictures trial [--episodes 200]    the page's own way against evaluation

All tasks are 5-way 1-shot, of test classes, the same for everyone.
"""

import argparse
import io
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from PIL import Image
from torch import Tensor

import metacore as mc
from benchmarks.measure import markdown
from benchmarks.report import circumstances, heading, save, say
from metacore.answers.questions import Learned
from metacore.answers.trials import OnTrial, Pictures
from metacore.datasets.base import ImageDataset
from metacore.datasets.emoji import EmojiConfig
from metacore.datasets.quickdraw import QuickDrawConfig
from metacore.models.backbone import Backbone
from metacore.models.pixels import Pixels
from metacore.pictures import recoloured
from metacore.settings import Config
from metacore.statistics import mean_ci95, score
from metacore.training.evaluate import Evaluation
from metacore.training.learner import Learner
from metacore.trial.photo import Photo
from metacore.trial.task import pixels, sees

SOURCES: dict[str, Config] = {
    "doodles": QuickDrawConfig(),
    "emoji": EmojiConfig(),
    "emoji, unseen styles": EmojiConfig(styles="unseen"),
}
HEADER = ["who", "learned from", "tested on", "accuracy, %", "600 tasks take"]
QUERIES = 2  # of each class: emoji have few pictures
VALIDATE_EVERY = 200  # meta-steps: a validation takes as long as 20 of them


def main() -> None:
    arguments = _arguments()
    about = circumstances("cpu")
    title, header, results = arguments.table(arguments)
    print(heading(title, about))
    print("\n".join(markdown(header, [[str(v) for v in row.values()] for row in results])))
    save(arguments.json, about, results)


# What is learned, and what is known already


def learned(arguments: argparse.Namespace) -> tuple[str, list[str], list[dict[str, Any]]]:
    rows = []
    for name in arguments.on:
        source = SOURCES[name]
        config = mc.preset("protonet", "quickdraw" if name == "doodles" else "emoji", "good")
        said = f"{name}, {arguments.seconds:g} s"
        rows += _rows(_trained(config.replace(dataset=source), arguments), said, [name])
    rows += _rows(mc.load("protonet-glyphs", device="cpu"), "glyphs", ["doodles"])
    return f"ProtoNet, {arguments.seconds:g} s of training", HEADER, rows


def known(arguments: argparse.Namespace) -> tuple[str, list[str], list[dict[str, Any]]]:
    rows = []
    for model in (Backbone(), Pixels()):
        for algorithm in ("centroid", "logistic"):
            config = mc.preset(algorithm, "emoji", "good").replace(model=model)
            said = "photographs" if isinstance(model, Backbone) else "nothing"
            if isinstance(model, Pixels):  # of the shape of what it is asked about
                doodles = config.replace(dataset=QuickDrawConfig())
                rows += _rows(_made(doodles), said, ["doodles"])
                rows += _rows(_made(config), said, ["emoji", "emoji, unseen styles"])
            else:
                rows += _rows(_made(config), said, [*SOURCES])
    return "Nothing learned from these pictures", HEADER, rows


def _trained(config: mc.RunConfig, arguments: argparse.Namespace) -> Learner:
    budget = {"iterations": 0, "seconds": arguments.seconds, "validate_every": VALIDATE_EVERY}
    training = replace(config.training, **budget)
    say(f"training on {config.dataset_class.title} for {arguments.seconds:g} s")
    run = mc.train(config.replace(training=training), name="benchmark of pictures")
    say(f"{run.iteration} meta-steps")
    return mc.load(run, device="cpu")


def _made(config: mc.RunConfig) -> Learner:
    return mc.load(mc.train(config, name="benchmark of pictures"), device="cpu")


def _rows(learner: Learner, said: str, tested: list[str]) -> Iterator[dict[str, Any]]:
    for name in tested:
        found: Evaluation = mc.evaluate(
            learner, dataset=SOURCES[name], ways=5, shots=1, queries=QUERIES, episodes=600
        )
        model = learner.config.model_name
        yield {
            "who": f"{learner.algorithm.title}, {model}",
            "from": said,
            "on": name,
            "accuracy": score("accuracy", found.mean, found.ci95),
            "takes": f"{found.seconds:.0f} s",
        }
        say(f"{learner.algorithm.title} over {model} on {name}: {found.mean:.3f}")


# The page's own way


def trial(arguments: argparse.Namespace) -> tuple[str, list[str], list[dict[str, Any]]]:
    rows = []
    run = mc.train(mc.preset("centroid", "emoji", "good"), name="benchmark of pictures")
    learner = mc.load(run, device="cpu")
    for name in ("emoji", "doodles"):
        dataset = cast(ImageDataset, mc.datasets.load(SOURCES[name], learner.device))
        task = {"ways": 5, "shots": 1, "queries": QUERIES}
        plain = mc.evaluate(learner, dataset=SOURCES[name], **task, episodes=arguments.episodes)
        right, seconds = [], []
        for number in range(arguments.episodes):
            episode = dataset.episodes("test", **task, seed=0, numbers=range(number, number + 1))
            support, query = (_photographs(x[0]) for x in (episode.support_x, episode.query_x))
            shape = sees(learner.config, photographs=True)
            start = time.perf_counter()
            said = OnTrial(
                learned=Learned.by(run),
                support=Pictures.of(pixels(support, shape)),
                labels=tuple(episode.support_y[0].tolist()),
                ways=5,
                query=Pictures.of(pixels(query, shape)),
            ).answer()
            seconds.append((time.perf_counter() - start) / len(support + query))
            assert said.answer is not None, "there are queries"
            chosen = torch.tensor(said.answer.choices)
            right.append((chosen == episode.query_y[0]).double().mean())
        mean, ci95 = mean_ci95(torch.stack(right))
        rows.append(
            {
                "on": name,
                "page": score("accuracy", mean, ci95),
                "evaluation": score("accuracy", plain.mean, plain.ci95),
                "apart": f"{100 * (mean - plain.mean):+.1f} points",
                "takes": f"{1000 * sum(seconds) / len(seconds):.0f} ms",
            }
        )
    header = ["tasks of", "the Trial page", "evaluation", "apart", "a picture takes"]
    return f"Photographs on the Trial page, {arguments.episodes} tasks", header, rows


def _photographs(pictures: Tensor) -> list[Photo]:
    """Each as the file that somebody would upload."""
    colour = recoloured((pictures * 255).round().byte(), 3)
    found = []
    for number, picture in enumerate(colour):
        data = io.BytesIO()
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(data, "PNG")
        found.append(Photo.of(data.getvalue(), f"{number}.png"))
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    tables = parser.add_subparsers(required=True)
    for table in (learned, known, trial):
        part = tables.add_parser(table.__name__)
        part.set_defaults(table=table)
        part.add_argument("--json", type=Path)
        if table is learned:
            part.add_argument("--seconds", type=float, default=300.0)
            part.add_argument("--on", nargs="+", choices=[*SOURCES], default=[*SOURCES])
        if table is trial:
            part.add_argument("--episodes", type=int, default=200)
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Commands about what there is to choose from: data, algorithms, datasets and models."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metacore.algorithms import ALGORITHMS
from metacore.cli import display
from metacore.cli.commands import SUCCEEDED
from metacore.datasets import DATASETS
from metacore.datasets import library as data
from metacore.models import MODELS
from metacore.settings import settings_of


def data_list(arguments: Namespace) -> int:
    holdings = data.status()
    if arguments.json:
        rows = [{**vars(h), "where": h.where and str(h.where)} for h in holdings]
        display.print_json(rows)
        return SUCCEEDED
    display.table(
        "Data on this computer",
        ["dataset", "ready", "size", "how to get it"],
        [[h.name, "yes" if h.ready else "no", display.size(h.bytes), h.how] for h in holdings],
    )
    return SUCCEEDED


def data_get(arguments: Namespace) -> int:
    with display.downloading(quiet=arguments.json) as progress:
        where = data.get(
            arguments.dataset, progress, classes=arguments.classes, pictures=arguments.pictures
        )
    return _placed(arguments, where)


def data_add(arguments: Namespace) -> int:
    folder = Path(arguments.folder)
    return _placed(arguments, data.add(arguments.dataset, folder, called=arguments.name or ""))


def _placed(arguments: Namespace, where: Path) -> int:
    if arguments.json:
        display.print_json({"dataset": arguments.dataset, "where": str(where)})
    else:
        display.say(f"{arguments.dataset} is ready in {where}.")
    return SUCCEEDED


def algorithms(arguments: Namespace) -> int:
    about = ("title", "family", "summary", "paper", "regression", "norms")
    rows = _described(ALGORITHMS, about)
    return _listed(arguments, "Algorithms", ["name", "family", "summary"], rows)


def datasets(arguments: Namespace) -> int:
    rows = _described(DATASETS, ("title", "summary", "regression"))
    return _listed(arguments, "Datasets", ["name", "summary"], rows)


def _described(kinds: Mapping[str, Any], about: Sequence[str]) -> list[dict[str, Any]]:
    """What their classes say of them, and their settings."""
    return [
        {"name": name, **{word: getattr(kind, word) for word in about}}
        | {"settings": _settings(kind.Config)}
        for name, kind in kinds.items()
    ]


def models(arguments: Namespace) -> int:
    rows = []
    for name, config in MODELS.items():
        shape, outputs = ((1,), 1) if config.regression else ((1, 28, 28), 5)
        count = config().parameter_count(shape, outputs)
        row = {"name": name, "summary": config.summary, "parameters": f"{count:,}"}
        rows.append({**row, "settings": _settings(config)})
    return _listed(arguments, "Models", ["name", "parameters", "summary"], rows)


def _settings(config: Any) -> dict[str, Any]:
    return {setting.name: setting.default for setting in settings_of(config)}


def _listed(
    arguments: Namespace, title: str, columns: list[str], rows: list[dict[str, Any]]
) -> int:
    if arguments.json:
        display.print_json(rows)
    else:
        display.table(title, columns, [[str(row[name]) for name in columns] for row in rows])
    return SUCCEEDED

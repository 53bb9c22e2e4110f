"""The fixed validation episode of a run: which one it is, and how its queries are answered."""

from typing import Any

from metacore import RunConfig
from metacore.answers import EpisodeSpec
from metacore.datasets.base import Dataset
from metacore.episode import Episode
from pages.ui import drawings, palette, words
from pages.ui.train.sample_episode import MOST_CLASSES, image


def named(config: RunConfig, episode: dict[str, Any]) -> EpisodeSpec:
    """The episode that snapshots of the run are about, as they name it."""
    numbers = ("ways", "shots", "queries", "seed", "number")
    return EpisodeSpec.of(
        config, split=str(episode["split"]), **{name: int(episode[name]) for name in numbers}
    )


def marked(
    episode: Episode, kind: type[Dataset], snapshots: dict[str, Any], theme: palette.Theme
) -> str:
    """The queries of the snapshots, marked right or wrong: at the start and now."""
    named = snapshots["episode"]
    images = _queries(episode, kind, theme)
    first, last = snapshots["moments"][0], snapshots["moments"][-1]
    blocks = [("At the start", first)] if first is not last else []
    blocks.append((f"After {words.count(last['iteration'])} meta-steps", last))
    each = [_block(title, moment, images, named["ways"], theme) for title, moment in blocks]
    return f'<div class="sample">{"".join(each)}</div>'


def _queries(episode: Episode, kind: type[Dataset], theme: palette.Theme) -> list[str]:
    """Query drawings, class by class, each in the colour of its class."""
    return [
        drawings.addresses(image[None], palette.of_class(int(label), theme), kind)[0]
        for image, label in zip(episode.query_x[0], episode.query_y[0], strict=True)
    ]


def _block(
    title: str, moment: dict[str, Any], images: list[str], ways: int, theme: palette.Theme
) -> str:
    each = len(images) // ways
    guesses = [max(range(ways), key=shares.__getitem__) for shares in moment["probabilities"][-1]]
    right = sum(guess == number // each for number, guess in enumerate(guesses))
    columns = "".join(
        _column(label, images, guesses, each, theme) for label in range(min(ways, MOST_CLASSES))
    )
    said = f"{right} of {len(images)} right"
    return (
        f"<div><p>{title}<br><b>{said}</b></p>"
        f'<div class="seen" role="img" aria-label="{title}: {said}">{columns}</div></div>'
    )


def _column(
    label: int, images: list[str], guesses: list[int], each: int, theme: palette.Theme
) -> str:
    numbers = range(label * each, (label + 1) * each)
    verdicts = ["right" if guesses[number] == label else "wrong" for number in numbers]
    marks = "".join(
        f'<i class="{verdict}">{image(images[number])}</i>'
        for number, verdict in zip(numbers, verdicts, strict=True)
    )
    return f'<div class="answers" style="color: {palette.of_class(label, theme)}">{marks}</div>'

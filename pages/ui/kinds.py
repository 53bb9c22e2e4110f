"""What a page calls the classes of an episode."""

from metacore.answers import EpisodeSpec
from metacore.answers.questions import ClassNames
from pages.ui import waiting, words


def of(spec: EpisodeSpec) -> list[str]:
    """By the names people have for them, else by letters: also while the names are waited for.

    Strangers may have typed them: they are escaped wherever they are shown.
    """
    if not spec.kind.named:
        return words.called(spec.ways)
    found = waiting.one(ClassNames(spec=spec))
    known = found.complete and not found.error
    return words.called(spec.ways, found.value or () if known else ())

"""Runs that take drawings one at a time: what they know at each showing of a class, and what their
memory did with this episode."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from metacore.algorithms.base import TakesOneByOne
from metacore.insight.showings import PUBLISHED, PUBLISHED_WAYS, Remembered, by_elimination
from pages.ui import charts, engine, palette, say, waiting, widgets, words
from pages.ui.adapt.scene import AdaptedRun, AdaptScene
from pages.ui.figures import showings as figures
from pages.ui.figures.showings import Known
from pages.ui.protocol import unless_own


def cards(scene: AdaptScene) -> None:
    able = [
        adapted
        for adapted in scene.runs
        if issubclass(adapted.run.config.algorithm_class, TakesOneByOne)
    ]
    if not able or scene.regression:
        return
    accuracy(able, scene)
    for adapted in able:
        memory(adapted, scene)


def accuracy(able: Sequence[AdaptedRun], scene: AdaptScene) -> None:
    """Many streams take seconds: the figure fills as they are gone through."""
    choice, ways = scene.choice, scene.episode.ways
    asked = [
        engine.showings(one.run, choice.spec, norm=unless_own(one.run, choice.norm)) for one in able
    ]
    if not scene.quiet:
        waiting.several(asked, moment=0.0)
    found = [waiting.known(question).value for question in asked]
    known = [
        Known(one.name, one.color, palette.symbol(number), *zip(*seen.means(), strict=True))
        for number, (one, seen) in enumerate(zip(able, found, strict=True))
        if seen is not None
    ]
    published = PUBLISHED if ways == PUBLISHED_WAYS else {}
    figure = charts.cached(
        "showings",
        repr((known, ways)),
        lambda: figures.by_showing(known, ways, published, charts.theme()),
    )
    charts.chart(
        figure,
        "What is known at each showing of a class",
        alt="Share of examples answered rightly at the first, second, … showing of their class,"
        " over many streams of examples, with 95% intervals.",
        key="showings",
        help="The examples of all classes come one at a time in random order, and each is answered"
        " before its label is told. The mean over many such streams of test classes, and its 95%"
        " interval.",
    )
    st.caption(_how_to_read(ways))
    if not scene.quiet:
        waiting.bar(asked, "Going through other streams", key="showings", partial=True)
    for one, question in zip(able, asked, strict=True):
        if error := waiting.known(question).error:
            say.left_out(one.run, error)


def _how_to_read(ways: int) -> str:
    best = f"{by_elimination(ways):.0%}"
    said = (
        f"At a first showing nobody can know the label: guessing is right in {1 / ways:.0%}, and"
        f" whoever leaves out the labels that are taken already gets up to {best};"
        " whoever takes a new class for one that was shown is below guessing."
    )
    if ways != PUBLISHED_WAYS:
        return said
    return (
        f"{said} Published (Santoro et al. 2016, table 1) is another protocol: Omniglot at 20 × 20"
        " pixels, classes split otherwise, 100,000 streams to learn from."
    )


def memory(adapted: AdaptedRun, scene: AdaptScene) -> None:
    """This episode as a stream of drawings."""
    norm = unless_own(adapted.run, scene.choice.norm)
    question = engine.stream(adapted.run, scene.choice.spec, norm=norm)
    answer = waiting.known(question) if scene.quiet else waiting.one(question)
    if answer.error:
        say.left_out(adapted.run, answer.error)
    elif answer.complete:
        left, right = st.columns(2, gap="large")
        with left:
            _looks(adapted, answer.get(), repr(question))
        with right:
            _slots(adapted, answer.get(), repr(question))
    elif not scene.quiet:
        waiting.bar([question], "Looking into the memory", key=f"stream {adapted.run.id}")


def _looks(adapted: AdaptedRun, found: Remembered, about: str) -> None:
    reads = [str(number + 1) for number in range(found.looked.shape[1])]
    read = 0
    place = st.container()
    if len(reads) > 1:
        read = reads.index(
            widgets.switch(
                st, "Read", "read", reads, help="The places of the memory that are read at a time."
            )
        )
    with place:
        charts.chart(
            charts.cached(
                "looks", (about, read), partial(figures.looks, found, read, charts.theme())
            ),
            f"{adapted.name}: where it looked",
            alt="For every example of this episode as it came: at which earlier ones a read of"
            " the memory looked, by the class of what was looked at.",
            key=f"looks {adapted.run.id}",
            help="This episode's support and queries as one stream. A read falls on slots of the"
            " memory; it looked at the examples of which they had been written.",
        )
    st.caption(
        "Colours are classes. On the diagonal each example itself: filled if it was answered"
        " rightly, open if not. To its left, what was looked up to answer it."
    )


def _slots(adapted: AdaptedRun, found: Remembered, about: str) -> None:
    shown, used = len(figures.shown_slots(found)), figures.used_slots(found)
    charts.chart(
        charts.cached("slots", about, partial(figures.slots, found, charts.theme())),
        f"{adapted.name}: what its slots hold",
        alt="For every slot of the memory and every moment of this episode: the class of the"
        " example that fills most of it.",
        key=f"slots {adapted.run.id}",
        help="A slot is as strong as the share that one example has of it; the slot that was used"
        " least is erased for a new one.",
    )
    rest = f" The first {shown} of {used} are shown." if used > shown else ""
    total = found.held.shape[1]
    st.caption(f"{words.several(used, 'slot')} of {total} were written to.{rest}")

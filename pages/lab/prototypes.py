"""The space a network puts drawings into: where classes gather, and what moves when they change."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from metacore import Run, UserError
from pages.ui import charts, kinds, palette, pick, say, waiting, words
from pages.ui.figures import embedding as figures
from pages.ui.figures import nearness
from pages.ui.prototypes import closeup, controls, selection, support_editor
from pages.ui.prototypes.before_after import BeforeAndAfter
from pages.ui.prototypes.choice import PictureSettings, PrototypesChoice
from pages.ui.prototypes.edits import Edits
from pages.ui.prototypes.in_space import EpisodeInSpace
from pages.ui.prototypes.support_editor import shifts

SHOWN = "prototypes shown"
LISTED = 4  # queries that do not stand where they are answered


def page() -> None:
    st.title("Prototypes", anchor=False)
    st.markdown(
        "A network turns every picture into a list of numbers: a **place**. Where pictures of one"
        " class gather, a few examples are enough to know the next one."
    )
    found = controls.offered()
    if not found:
        pick.missing("There is no run yet that has learned from pictures.")
        return
    run, seed = controls.which(found)
    try:
        choice = controls.choose(run, seed)
        if choice is not None:
            look(choice)
    except UserError as error:
        say.error(error, icon=":material/info:")


def look(choice: PrototypesChoice) -> None:
    """Shows it, or what was shown before while it takes longer than a moment."""
    waiting.several(choice.questions)
    shown: PrototypesChoice | None = choice
    if not known(choice):
        waiting.bar(choice.questions, "Finding the place of every picture", key="prototypes")
        before = st.session_state.get(SHOWN)
        shown = before if before is not None and known(before) else None
    if shown is not None:
        st.session_state[SHOWN] = shown
        _legend(shown)
        (metric if shown.metric else gradient)(shown)


def _legend(choice: PrototypesChoice) -> None:
    """Which letter stands for which class, where classes have names."""
    names = kinds.of(choice.spec)
    if choice.spec.kind.named:
        told = [f"**{words.letter(n)}** {words.plain(name)}" for n, name in enumerate(names)]
        st.markdown(" · ".join(told))


def known(choice: PrototypesChoice) -> bool:
    return all(waiting.known(question).complete for question in choice.questions)


def metric(choice: PrototypesChoice) -> None:
    """ProtoNet and Matching Networks: one space, in which examples answer."""
    scene = waiting.known(choice.scene(choice.edits)).get()
    as_drawn = waiting.known(choice.scene(Edits())).get()
    pictures = waiting.known(choice.pictures).get()
    st.markdown(result(choice, scene, as_drawn))
    st.caption(fineprint(choice.run, scene, choice.view))
    space(choice, scene, as_drawn, pictures)
    matrix(scene, pictures)


def result(choice: PrototypesChoice, scene: EpisodeInSpace, as_drawn: EpisodeInSpace) -> str:
    run, view, item = choice.run, choice.view, choice.spec.kind.item
    agreement = 1 - len(scene.astray) / len(scene.cloud.query.names)
    picture = "flat picture" if view.dimensions == 2 else "picture in space"
    edited = (
        ""
        if scene.name == as_drawn.name
        else f" (**{as_drawn.right}** before the support was edited)"
    )
    return (
        f"**{says(run, scene.right, scene.cloud.query.names)}** from"
        f" {words.several(view.shots, item)} of each class{edited}; the {picture} agrees with"
        f" its decision on **{agreement:.0%}** of them."
    )


def seen(scene: EpisodeInSpace, view: PictureSettings) -> str:
    """What the picture leaves out, and which queries do not stand where they are answered."""
    tint = ""
    if scene.cloud.regions is not None:
        tint = "The tint is what the run would decide at that very place of the plane. "
        if scene.cloud.paths is not None:
            tint = "The tint is the class of the nearest star in this picture. "
    seen_here = (
        f"{tint}The picture shows {view.dimensions} of {scene.features} dimensions; the run decides"
        " in all of them"
    )
    names = [scene.cloud.query.names[n] for n in scene.astray]
    if not names:
        return f"{seen_here}, and answers every query as it stands here."
    verb, stand = ("is", "it stands") if len(names) == 1 else ("are", "they stand")
    listed = ", ".join(names[:LISTED]) + (", …" if len(names) > LISTED else "")
    return f"{seen_here}: {listed} {verb} answered otherwise than where {stand} here."


def says(run: Run, right: int, queries: Sequence[str]) -> str:
    title = pick.title(run)
    return f"{title} answer{'' if title.endswith('s') else 's'} {right} of {len(queries)} queries"


def fineprint(run: Run, scene: EpisodeInSpace, view: PictureSettings) -> str:
    shown = f"A PCA of this episode: it shows {sum(scene.cloud.explained):.0%} of the variance."
    trained = run.values["algorithm"].get("distance")
    if trained is None or trained == view.distance:
        return f"{shown} The run measures by {scene.unit}, as in training."
    names = {value: name for name, value in controls.DISTANCES.items()}
    return (
        f"{shown} The run was trained with {names[trained]} distance; here the same places are"
        f" measured by {names[str(view.distance)]} distance."
    )


@st.fragment
def space(
    choice: PrototypesChoice,
    scene: EpisodeInSpace,
    as_drawn: EpisodeInSpace,
    pictures: dict[str, str],
) -> None:
    """The picture; beside it, what can be edited and what is looked at."""
    if support_editor.edited_just_now():
        st.rerun()
    view, item = choice.view, choice.spec.kind.item
    theme, names = charts.theme(), [*scene.looks]
    cloud, before = scene.cloud, as_drawn.cloud.paths
    if choice.edited and before is not None:
        cloud = replace(cloud, moved_from=before[-1])
    left, right = st.columns([9, 5], gap="medium")
    with left:
        mark = selection.marked(scene.name, names, scene.first)
        figure = charts.cached(
            "space",
            (scene.name, as_drawn.name, mark, view.drawn),
            lambda: figures.draw(
                cloud,
                theme,
                selected=mark,
                pictures=pictures if view.drawn else None,
                frame=scene.frame,
            ),
        )
        selection.chart(
            figure,
            f"Where the {item}s lie in {view.dimensions} of {scene.features} dimensions",
            names,
            alt="Support, queries and prototypes of each class, projected by PCA.",
            key="space",
        )
        st.caption(seen(scene, view))
        settling(choice.run, scene, view.shots)
    with right.container(border=True):
        support_editor.show(choice.spec, view.shots, pictures, shifts(as_drawn, scene))
    with right.container(border=True):
        name = selection.choice(names, scene.first)
        closeup.show(
            scene.looks[name],
            pictures,
            theme,
            f"Nearest support, by {scene.unit}",
            kinds.of(choice.spec),
        )


def matrix(scene: EpisodeInSpace, pictures: dict[str, str]) -> None:
    shown, prototypes = scene.matrix, scene.matrix.row_of_answer is not None
    row_pictures = [] if prototypes else [pictures[name] for name in shown.rows]
    figure = charts.cached(
        "nearness",
        scene.name,
        lambda: nearness.draw(
            shown,
            charts.theme(),
            column_pictures=[pictures[name] for name in shown.columns],
            row_pictures=row_pictures,
            row_name="prototype" if prototypes else "support",
            row_height=34 if prototypes else 24,
        ),
    )
    charts.chart(
        figure,
        "How far every query is from every prototype"
        if prototypes
        else "How much attention every query pays to every example of the support set",
        alt=f"A matrix of {shown.unit}: a row per answer, a column per query.",
        key="matrix",
        help="The dot marks the nearest prototype, the answer; a cross marks a wrong one."
        if prototypes
        else "The attention of a query sums to 1; its answer is the class that gets most of it.",
    )


def settling(run: Run, scene: EpisodeInSpace, shots: int) -> None:
    color = palette.algorithm(pick.kind(run), charts.theme())
    draw = partial(nearness.settling, scene.scores, shots, color, charts.theme())
    charts.chart(
        charts.cached("settling", scene.name, draw),
        "The same queries with more shots",
        alt="The share of this episode's queries answered rightly, against the shots.",
        key="settling",
        help="One episode only: for a measured accuracy over many, see Compare.",
    )


def gradient(choice: PrototypesChoice) -> None:
    """Methods with an inner loop: the features it begins with and those it ends with."""
    seen, view = waiting.known(choice.moments(choice.edits)).get(), choice.view
    as_drawn = waiting.known(choice.moments(Edits())).get() if choice.edited else seen
    before, after = (f"{share:.0%}" for share in seen.separations)
    answered = says(choice.run, seen.right[1], seen.clouds[1].query.names)
    edited = f", {as_drawn.right[1]} after steps on the support as drawn" if choice.edited else ""
    given = f"{words.several(view.shots, choice.spec.kind.item)} of each class"
    if choice.at_once:
        edited = (
            f" (**{as_drawn.right[1]}** before the support was edited)" if choice.edited else ""
        )
        how, share = f"from {given}, in one computation{edited}", after
    else:
        steps = words.several(seen.steps, "inner step")
        how = f"after {steps} on {given} ({seen.right[0]} before{edited})"
        share = f"{before} → {after}"
    st.markdown(
        f"**{answered}** {how}. The share of the queries' variance that lies between classes:"
        f" **{share}**."
    )
    st.caption(about_plane(seen, choice))
    two_moments(choice, seen, as_drawn, waiting.known(choice.pictures).get())


def about_plane(seen: BeforeAndAfter, choice: PrototypesChoice) -> str:
    norm = f"Batch normalisation: {words.mode(seen.norm)}." if seen.norm != "none" else ""
    if choice.at_once:
        return f"The picture is a PCA of the features this run answers from. {norm}"
    if seen.frozen:
        return (
            "The inner loop of this run changes the last layer only: the features stay where they"
            f" are, and only the answers change. {norm}"
        )
    if choice.view.shared:
        return f"Both pictures show one plane, a PCA of the features before and after. {norm}"
    return f"Each picture shows its own plane, a PCA of its features: places do not compare. {norm}"


@st.fragment
def two_moments(
    choice: PrototypesChoice,
    seen: BeforeAndAfter,
    as_drawn: BeforeAndAfter,
    pictures: dict[str, str],
) -> None:
    if support_editor.edited_just_now():
        st.rerun()
    view = choice.view
    theme, names = charts.theme(), [*seen.looks]
    mark = selection.marked(seen.name, names, seen.first)
    titles = ("Before adaptation", f"After {words.several(seen.steps, 'inner step')}")
    shown = [*enumerate(titles)]
    if seen.frozen:
        same = "Before and after: the same features"
        shown = [(1, "The features it answers from" if choice.at_once else same)]
    for place, (moment, title) in zip(st.columns(len(shown), gap="medium"), shown, strict=True):
        with place:
            draw = partial(
                figures.draw,
                seen.clouds[moment],
                theme,
                selected=mark,
                pictures=pictures if view.drawn else None,
                frame=seen.frames[moment],
                height=400,
            )
            figure = charts.cached("moment", (seen.name, moment, mark, view.drawn), draw)
            selection.chart(
                figure,
                f"{title}: {seen.separations[moment]:.0%} of the variance between classes",
                names,
                alt="Features of support and queries of each class, projected by PCA.",
                key=f"moment {moment}",
            )
    left, right = st.columns(2, gap="medium")
    with left.container(border=True):
        support_editor.show(choice.spec, view.shots, pictures, shifts(as_drawn, seen))
    with right.container(border=True):
        name = selection.choice(names, seen.first)
        closeup.show(
            seen.looks[name],
            pictures,
            theme,
            "Nearest support after adaptation",
            kinds.of(choice.spec),
        )


page()

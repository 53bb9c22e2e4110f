"""The space a network puts drawings into: where classes gather, and what moves when they change."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from metacore import DATASETS, Run, UserError
from metacore.answers import EpisodeSpec
from metacore.answers.questions import Room
from pages.ui import charts, episode, palette, pick, say, state, waiting, words
from pages.ui.figures import embedding as figures
from pages.ui.figures import nearness
from pages.ui.prototypes import closeup, embedding, looked_at, support_editor
from pages.ui.prototypes.edits import Edits
from pages.ui.prototypes.embedding import Moments, Scene, shifts
from pages.ui.prototypes.spot import EPISODE, FIRST, SHOTS, Spot, View, drawn, laddered

SHOWN = "prototypes shown"
SHARED, OWN = "shared", "own"
LISTED = 4  # queries that do not stand where they are answered
DISTANCES = {"Euclidean": "euclidean", "cosine": "cosine"}


def page() -> None:
    st.title("Prototypes", anchor=False)
    st.markdown(
        "A network turns every drawing into a list of numbers: a **place**. Where drawings of one"
        " class gather, a few examples are enough to know the next one."
    )
    found = offered()
    if not found:
        pick.missing("There is no run yet that has learned from pictures.")
        return
    run, seed = which(found)
    try:
        spot = choose(run, seed)
        if spot is not None:
            look(spot)
    except UserError as error:
        say.error(error, icon=":material/info:")


def choose(run: Run, seed: int) -> Spot | None:
    """What the controls say; None while the data are being loaded."""
    spec = drawn_episode(run, seed)
    if spec is None:
        return None
    view = how(run, spec)
    changed = support_editor.asked_for(spec)
    return Spot(run, spec, view, support_editor.usable(changed, spec, view.shots))


def look(spot: Spot) -> None:
    """Shows it, or what was shown before while it takes longer than a moment."""
    waiting.several(spot.questions)
    shown: Spot | None = spot
    if not known(spot):
        waiting.bar(spot.questions, "Finding the place of every drawing", key="prototypes")
        before = st.session_state.get(SHOWN)
        shown = before if before is not None and known(before) else None
    if shown is not None:
        st.session_state[SHOWN] = shown
        (metric if shown.metric else gradient)(shown)


def known(spot: Spot) -> bool:
    return all(waiting.known(question).complete for question in spot.questions)


def offered() -> list[Run]:
    """Runs on pictures; the one to begin with stands first."""
    found = pick.usable(lambda run: not DATASETS[run.values["dataset"]["name"]].regression)
    return sorted(found, key=lambda run: run.id != FIRST)


def which(found: list[Run]) -> tuple[Run, int]:
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row.container():
        run = pick.one(found, help="Whose space is shown; runs on curves have none.")
    about = (
        "Its classes are those of this number on Adapt; the queries are others, kept apart from"
        " all the shots there are to go through."
    )
    return run, episode.number(row, usual=EPISODE, about=about, changed=forget)


def forget() -> None:
    """Another episode has other drawings: neither edits nor choices make sense in it."""
    support_editor.forget()
    looked_at.forget()


def drawn_episode(run: Run, seed: int) -> EpisodeSpec | None:
    """The episode with the most shots to go through, once it is known how many drawings there are;
    raises UserError if its data are missing."""
    room = Room(spec=drawn(run, seed))
    found = waiting.one(room)
    if not found.complete:
        waiting.bar([room], "Loading the drawings", key="room")
        return None
    return laddered(run, seed, found.get().drawings)


def how(run: Run, spec: EpisodeSpec) -> View:
    """In a row that wraps where the window is narrow."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row.container():
        shots = slider(spec.most)
    with row:
        picture = switch(
            "Picture",
            ["2-D", "3-D"],
            key="view",
            help="A plane is read best; a third direction shows some of what the plane hides.",
        )
        shown = switch(
            "Shown as",
            ["marks", "drawings"],
            key="show",
            disabled=picture == "3-D",
            help="Marks, or the drawings themselves where the network puts them (in 2-D).",
        )
        distance, shared = measure(run), plane(run)
    return View(shots, int(picture[0]), shown == "drawings", distance, shared)


def slider(most: int) -> int:
    if most == 1:
        st.caption("The classes have drawings enough for one shot only.")
        return 1
    return state.slider(
        st,
        "Shots",
        "shots",
        usual=SHOTS,
        low=1,
        high=most,
        help="How many drawings of each class are given; the queries stay the same.",
    )


def measure(run: Run) -> str | None:
    """ProtoNet's distance; other methods have none to choose."""
    trained = run.values["algorithm"].get("distance")
    if trained is None:
        return None
    usual = next(name for name, value in DISTANCES.items() if value == trained)
    chosen = switch(
        "Distance",
        [usual, *(name for name in DISTANCES if name != usual)],
        key="distance",
        help=f"The run was trained with {usual} distance; the other measures the same places.",
    )
    return DISTANCES[chosen]


def plane(run: Run) -> bool:
    """Whether before and after share a plane; metric methods have no before."""
    if pick.kind(run) in embedding.METRIC:
        return False
    chosen = switch(
        "Plane",
        [SHARED, OWN],
        key="plane",
        help="One plane for before and after shows what moved; one for each shows each at its"
        " clearest.",
    )
    return chosen == SHARED


def switch(label: str, options: list[str], *, key: str, help: str, disabled: bool = False) -> str:
    return state.switch(st, label, key, options, disabled=disabled, help=help)


def metric(spot: Spot) -> None:
    """ProtoNet and Matching Networks: one space, in which examples answer."""
    scene = waiting.known(spot.scene(spot.edits)).get()
    as_drawn = waiting.known(spot.scene(Edits())).get()
    pictures = waiting.known(spot.pictures).get()
    st.markdown(result(spot.run, scene, as_drawn, spot.view))
    st.caption(fineprint(spot.run, scene, spot.view))
    space(spot, scene, as_drawn, pictures)
    matrix(scene, pictures)


def result(run: Run, scene: Scene, as_drawn: Scene, view: View) -> str:
    picture = "flat picture" if view.dimensions == 2 else "picture in space"
    edited = (
        ""
        if scene.name == as_drawn.name
        else f" (**{as_drawn.right}** before the support was edited)"
    )
    return (
        f"**{says(run, scene.right, scene.cloud.query.names)}** from"
        f" {words.several(view.shots, 'drawing')} of each class{edited}; the {picture} agrees with"
        f" its decision on **{_agreement(scene):.0%}** of them."
    )


def _agreement(scene: Scene) -> float:
    return 1 - len(scene.astray) / len(scene.cloud.query.names)


def seen(scene: Scene, view: View) -> str:
    """What the picture leaves out, and which queries do not stand where they are answered."""
    tint = ""
    if scene.cloud.regions is not None:
        tint = "The tint is what the run would decide at that very place of the plane. "
        if scene.cloud.paths is not None:
            tint = "The tint is the class of the nearest star in this picture. "
    told = (
        f"{tint}The picture shows {view.dimensions} of {scene.features} dimensions; the run decides"
        " in all of them"
    )
    names = [scene.cloud.query.names[n] for n in scene.astray]
    if not names:
        return f"{told}, and answers every query as it stands here."
    verb = "is" if len(names) == 1 else "are"
    listed = ", ".join(names[:LISTED]) + (", …" if len(names) > LISTED else "")
    return f"{told}: {listed} {verb} answered otherwise than where {_they(names)} here."


def _they(names: Sequence[str]) -> str:
    return "it stands" if len(names) == 1 else "they stand"


def says(run: Run, right: int, queries: Sequence[str]) -> str:
    title = pick.title(run)
    return f"{title} answer{'' if title.endswith('s') else 's'} {right} of {len(queries)} queries"


def fineprint(run: Run, scene: Scene, view: View) -> str:
    shown = f"A PCA of this episode: it shows {sum(scene.cloud.explained):.0%} of the variance."
    trained = run.values["algorithm"].get("distance")
    if trained is None or trained == view.distance:
        return f"{shown} The run measures by {scene.unit}, as in training."
    names = {value: name for name, value in DISTANCES.items()}
    return (
        f"{shown} The run was trained with {names[trained]} distance; here the same places are"
        f" measured by {names[str(view.distance)]} distance."
    )


@st.fragment
def space(spot: Spot, scene: Scene, as_drawn: Scene, pictures: dict[str, str]) -> None:
    """The picture; beside it, what can be edited and what is looked at."""
    if support_editor.edited_just_now():
        st.rerun()
    view, theme, names = spot.view, charts.theme(), [*scene.looks]
    cloud, before = scene.cloud, as_drawn.cloud.paths
    if spot.edited and before is not None:
        cloud = replace(cloud, moved_from=before[-1])
    left, right = st.columns([9, 5], gap="medium")
    with left:
        mark = looked_at.marked(scene.name, names, scene.first)
        figure = charts.kept(
            "space",
            (scene.name, as_drawn.name, mark, view.drawn),
            lambda: figures.draw(
                cloud,
                theme,
                looked_at=mark,
                pictures=pictures if view.drawn else None,
                frame=scene.frame,
            ),
        )
        looked_at.chart(
            figure,
            f"Where the drawings lie in {view.dimensions} of {scene.features} dimensions",
            names,
            alt="Support drawings, queries and prototypes of each class, projected by PCA.",
            key="space",
        )
        st.caption(seen(scene, view))
        settling(spot.run, scene, view.shots)
    with right.container(border=True):
        support_editor.show(spot.spec, view.shots, pictures, shifts(as_drawn, scene))
    with right.container(border=True):
        name = looked_at.choice(names, scene.first)
        closeup.show(scene.looks[name], pictures, theme, f"Nearest support, by {scene.unit}")


def matrix(scene: Scene, pictures: dict[str, str]) -> None:
    shown, prototypes = scene.matrix, scene.matrix.row_of_answer is not None
    beside = [] if prototypes else [pictures[name] for name in shown.rows]
    figure = charts.kept(
        "nearness",
        scene.name,
        lambda: nearness.draw(
            shown,
            charts.theme(),
            column_pictures=[pictures[name] for name in shown.columns],
            row_pictures=beside,
            row_name="prototype" if prototypes else "support drawing",
            row_height=34 if prototypes else 24,
        ),
    )
    charts.chart(
        figure,
        "How far every query is from every prototype"
        if prototypes
        else "How much attention every query pays to every support drawing",
        alt=f"A matrix of {shown.unit}: a row per answer, a column per query.",
        key="matrix",
        help="The dot marks the nearest prototype, the answer; a cross marks a wrong one."
        if prototypes
        else "The attention of a query sums to 1; its answer is the class that gets most of it.",
    )


def settling(run: Run, scene: Scene, shots: int) -> None:
    color = palette.algorithm(pick.kind(run), charts.theme())
    draw = partial(nearness.settling, scene.scores, shots, color, charts.theme())
    charts.chart(
        charts.kept("settling", scene.name, draw),
        "The same queries with more shots",
        alt="The share of this episode's queries answered rightly, against the shots.",
        key="settling",
        help="One episode only: for a measured accuracy over many, see Compare.",
    )


def gradient(spot: Spot) -> None:
    """Methods with an inner loop: the features it begins with and those it ends with."""
    seen, view = waiting.known(spot.moments(spot.edits)).get(), spot.view
    as_drawn = waiting.known(spot.moments(Edits())).get() if spot.edited else seen
    before, after = (f"{share:.0%}" for share in seen.separations)
    answered = says(spot.run, seen.right[1], seen.clouds[1].query.names)
    edited = f", {as_drawn.right[1]} after steps on the support as drawn" if spot.edited else ""
    st.markdown(
        f"**{answered}** after {words.several(seen.steps, 'inner step')}"
        f" on {words.several(view.shots, 'drawing')} of each class"
        f" ({seen.right[0]} before{edited})."
        f" The share of the queries' variance that lies between classes: **{before} → {after}**."
    )
    st.caption(about_plane(seen, view))
    two_moments(spot, seen, as_drawn, waiting.known(spot.pictures).get())


def about_plane(seen: Moments, view: View) -> str:
    norm = f"Batch normalisation: {words.mode(seen.norm)}." if seen.norm != "none" else ""
    if seen.frozen:
        return (
            "The inner loop of this run changes the last layer only: the features stay where they"
            f" are, and only the answers change. {norm}"
        )
    if view.shared:
        return f"Both pictures show one plane, a PCA of the features before and after. {norm}"
    return f"Each picture shows its own plane, a PCA of its features: places do not compare. {norm}"


@st.fragment
def two_moments(spot: Spot, seen: Moments, as_drawn: Moments, pictures: dict[str, str]) -> None:
    if support_editor.edited_just_now():
        st.rerun()
    view = spot.view
    theme, names = charts.theme(), [*seen.looks]
    mark = looked_at.marked(seen.name, names, seen.first)
    titles = ("Before adaptation", f"After {words.several(seen.steps, 'inner step')}")
    shown = [(1, "Before and after: the same features")] if seen.frozen else [*enumerate(titles)]
    for place, (moment, title) in zip(st.columns(len(shown), gap="medium"), shown, strict=True):
        with place:
            draw = partial(
                figures.draw,
                seen.clouds[moment],
                theme,
                looked_at=mark,
                pictures=pictures if view.drawn else None,
                frame=seen.frames[moment],
                height=400,
            )
            figure = charts.kept("moment", (seen.name, moment, mark, view.drawn), draw)
            looked_at.chart(
                figure,
                f"{title}: {seen.separations[moment]:.0%} of the variance between classes",
                names,
                alt="Features of support drawings and queries of each class, projected by PCA.",
                key=f"moment {moment}",
            )
    left, right = st.columns(2, gap="medium")
    with left.container(border=True):
        support_editor.show(spot.spec, view.shots, pictures, shifts(as_drawn, seen))
    with right.container(border=True):
        name = looked_at.choice(names, seen.first)
        closeup.show(seen.looks[name], pictures, theme, "Nearest support after adaptation")


page()

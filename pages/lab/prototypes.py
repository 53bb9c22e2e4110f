"""The space a network puts drawings into: where classes gather, and what moves when they change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from metacore import DATASETS, Run, UserError
from metacore.answers.asked import Asked
from metacore.datasets.base import ImageDataset
from pages.ui import charts, palette, pick, say, state, words
from pages.ui.figures import embedding as figures
from pages.ui.figures import nearness
from pages.ui.prototypes import closeup, embedding, looked_at, support_editor
from pages.ui.prototypes.edits import Edits
from pages.ui.prototypes.embedding import Moments, Scene

FIRST = "protonet-glyphs"
EPISODE = 8  # a test episode that is not too easy
LAST_EPISODE = 10**6
SHOTS, LADDER, MOST = 3, 5, 10  # shown first, to go through if there are drawings, at most
QUERIES = 100  # marks a picture can hold
SHARED, OWN = "shared", "own"
DISTANCES = {"Euclidean": "euclidean", "cosine": "cosine"}
REGIONS = (
    "The tint is what the run would decide at that very place of the plane. Drawings and prototypes"
    " lie off the plane, so one may stand on another's tint; the agreement above says how often."
)


@dataclass(frozen=True)
class View:
    """How the episode is looked at."""

    shots: int
    dimensions: int
    drawn: bool  # drawings are shown as drawings
    distance: str | None  # of prototypes
    shared: bool  # before and after adaptation lie in one plane


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
        asked = episode(run, seed)
        view = how(run, asked)
        changed = support_editor.asked_for(asked)
        given = support_editor.usable(changed, asked, view.shots)
        show = metric if pick.kind(run) in embedding.METRIC else gradient
        show(run, asked, given, view)
    except UserError as error:
        say.error(error, icon=":material/info:")
        return
    pictures = embedding.pictures(asked, charts.theme())
    support_editor.show(changed, asked, view.shots, pictures, charts.theme())


def offered() -> list[Run]:
    """Runs on pictures; the one to begin with stands first."""
    found = pick.usable(lambda run: not DATASETS[run.values["dataset"]["name"]].regression)
    return sorted(found, key=lambda run: run.id != FIRST)


def which(found: list[Run]) -> tuple[Run, int]:
    first, second, third = st.columns([5, 2, 2], vertical_alignment="bottom")
    with first:
        run = pick.one(found, help="Whose space is shown; runs on curves have none.")
    seed = state.number(
        second,
        "Episode",
        "seed",
        usual=EPISODE,
        low=0,
        high=LAST_EPISODE,
        on_change=forget,
        help="The number of a test episode: the same number is the same drawings for every run.",
    )
    third.button(
        "New episode",
        icon=":material/refresh:",
        on_click=another,
        args=(seed,),
        width="stretch",
        help="Draws other classes, which no run has been trained on.",
    )
    return run, seed


def another(seed: int) -> None:
    state.put("seed", (seed + 1) % LAST_EPISODE)
    forget()


def forget() -> None:
    """Another episode has other drawings: neither edits nor choices make sense in it."""
    support_editor.forget()
    looked_at.forget()


def episode(run: Run, seed: int) -> Asked:
    """The episode with the most shots to go through; raises UserError if its data are missing."""
    task = run.config.task
    asked = Asked.like(run, seed=seed, queries=max(1, min(task.queries, QUERIES // task.ways)))
    source = asked.source()
    assert isinstance(source, ImageDataset), "only runs on pictures are offered"
    drawings = source.images["test"].shape[1]
    most = min(max(LADDER, task.shots), MOST, drawings - asked.queries)
    return replace(asked, shots=most, most=most)


def how(run: Run, asked: Asked) -> View:
    first, *places = st.columns([5, 2.1, 2.8, 3], vertical_alignment="bottom")
    with first:
        shots = slider(asked.most)
    with places[0]:
        picture = switch(
            "Picture",
            ["2-D", "3-D"],
            key="view",
            help="A plane is read best; a third direction shows some of what the plane hides.",
        )
    with places[1]:
        shown = switch(
            "Shown as",
            ["marks", "drawings"],
            key="show",
            disabled=picture == "3-D",
            help="Marks, or the drawings themselves where the network puts them (in 2-D).",
        )
    with places[2]:
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


def metric(run: Run, asked: Asked, given: Edits, view: View) -> None:
    """ProtoNet and Matching Networks: one space, in which examples answer."""
    spot = run, asked, view.shots, view.distance, view.dimensions
    with st.spinner("Finding the place of every drawing…"):
        scene = embedding.scene(*spot, given)
        as_drawn = embedding.scene(*spot, Edits())
    st.markdown(result(run, scene, as_drawn, view))
    st.caption(fineprint(run, scene, view))
    space(run, asked, scene, view)
    matrix(asked, scene)


def result(run: Run, scene: Scene, as_drawn: Scene, view: View) -> str:
    picture = "flat picture" if view.dimensions == 2 else "picture in space"
    edited = "" if scene is as_drawn else f" (**{as_drawn.right}** before the support was edited)"
    return (
        f"**{says(run, scene.right, scene.cloud.query.names)}** from"
        f" {words.several(view.shots, 'drawing')} of each class{edited}; the {picture} agrees with"
        f" its decision on **{scene.agreement:.0%}** of them."
    )


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
def space(run: Run, asked: Asked, scene: Scene, view: View) -> None:
    """The picture, and what is looked at in it."""
    theme, names = charts.theme(), [*scene.looks]
    pictures = embedding.pictures(asked, theme)
    left, right = st.columns([9, 5], gap="medium")
    with left:
        figure = figures.draw(
            scene.cloud,
            theme,
            looked_at=looked_at.marked(scene.name, names, scene.first),
            pictures=pictures if view.drawn else None,
            frame=scene.frame,
        )
        looked_at.chart(
            figure,
            f"Where the drawings lie in {view.dimensions} of {scene.features} dimensions",
            names,
            alt="Support drawings, queries and prototypes of each class, projected by PCA.",
            key="space",
            help=REGIONS if scene.cloud.regions is not None else None,
        )
    with right.container(border=True):
        name = looked_at.choice(names, scene.first)
        closeup.show(scene.looks[name], pictures, theme, f"Nearest support, by {scene.unit}")
    with right:
        settling(run, scene, view.shots)


def matrix(asked: Asked, scene: Scene) -> None:
    pictures = embedding.pictures(asked, charts.theme())
    shown, prototypes = scene.matrix, scene.matrix.row_of_answer is not None
    beside = [] if prototypes else [pictures[name] for name in shown.rows]
    charts.chart(
        nearness.draw(
            shown,
            charts.theme(),
            column_pictures=[pictures[name] for name in shown.columns],
            row_pictures=beside,
            row_name="prototype" if prototypes else "support drawing",
            row_height=34 if prototypes else 24,
        ),
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
    charts.chart(
        nearness.settling(scene.scores, shots, color, charts.theme()),
        "The same queries with more shots",
        alt="The share of this episode's queries answered rightly, against the shots.",
        key="settling",
        help="One episode only: for a measured accuracy over many, see Compare.",
    )


def gradient(run: Run, asked: Asked, given: Edits, view: View) -> None:
    """Methods with an inner loop: the features it begins with and those it ends with."""
    with st.spinner("Adapting to the episode…"):
        seen = embedding.moments(run, asked, view.shots, view.dimensions, given, shared=view.shared)
    before, after = (f"{share:.0%}" for share in seen.separations)
    queries = seen.clouds[1].query.names
    st.markdown(
        f"**{says(run, seen.right[1], queries)}** after {words.several(seen.steps, 'inner step')}"
        f" on {words.several(view.shots, 'drawing')} of each class ({seen.right[0]} before)."
        f" The share of the queries' variance that lies between classes: **{before} → {after}**."
    )
    st.caption(about_plane(seen, view))
    two_moments(asked, seen, view)


def about_plane(seen: Moments, view: View) -> str:
    norm = f"Batch normalisation: {seen.norm}." if seen.norm != "none" else ""
    if seen.frozen:
        return (
            "The inner loop of this run changes the last layer only: the features stay where they"
            f" are, and only the answers change. {norm}"
        )
    if view.shared:
        return f"Both pictures show one plane, a PCA of the features before and after. {norm}"
    return f"Each picture shows its own plane, a PCA of its features: places do not compare. {norm}"


@st.fragment
def two_moments(asked: Asked, seen: Moments, view: View) -> None:
    theme, names = charts.theme(), [*seen.looks]
    pictures = embedding.pictures(asked, theme)
    mark = looked_at.marked(seen.name, names, seen.first)
    titles = ("Before adaptation", f"After {words.several(seen.steps, 'inner step')}")
    shown = [(1, "Before and after: the same features")] if seen.frozen else [*enumerate(titles)]
    for place, (moment, title) in zip(st.columns(len(shown), gap="medium"), shown, strict=True):
        with place:
            figure = figures.draw(
                seen.clouds[moment],
                theme,
                looked_at=mark,
                pictures=pictures if view.drawn else None,
                frame=seen.frames[moment],
                height=460,
            )
            looked_at.chart(
                figure,
                f"{title}: {seen.separations[moment]:.0%} of the variance between classes",
                names,
                alt="Features of support drawings and queries of each class, projected by PCA.",
                key=f"moment {moment}",
            )
    with st.container(border=True):
        name = looked_at.choice(names, seen.first)
        closeup.show(seen.looks[name], pictures, theme, "Nearest support after adaptation")


page()

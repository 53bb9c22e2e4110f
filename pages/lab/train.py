"""Choose what to learn from, who learns and for how long; then watch it happen."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from metacore import ALGORITHMS, DATASETS, PRESETS, RunConfig, TaskConfig, UserError
from metacore.algorithms import FAMILIES
from metacore.runs import dispatch, submit
from metacore.runs.store import NAME_LENGTH
from metacore.settings import Setting, settings_of
from pages.ui import charts, engine, episode, forms, palette, say, state, visitor, widgets, words
from pages.ui.train import forecasts, own_pictures, plan, sample_episode, training
from pages.ui.train.plan import Plan

STYLE = Path(__file__).parents[1] / "ui" / "train" / "style.css"
LEVELS = {
    "demo": ("Demo", "enough to see it learn"),
    "good": ("Good", "close to the best it reaches on a small computer"),
    "paper": ("Paper", "the published protocol"),
}
PREPARE_SECONDS = 20.0  # somebody has pressed Start: what cannot be trained is better said now
DATA = "The data"


def watch(names: list[str]) -> None:
    """Runs that wait, train or have ended."""
    with st.container(horizontal=True, vertical_alignment="center"):
        count = len(training.present(names))
        st.title(f"{count} trainings" if count > 1 else "Training", anchor=False, width="content")
        st.space("stretch")
        if st.button("Train another", icon=":material/add:", help="Back to the form; these go on."):
            st.switch_page("lab/train.py", query_params={})
    training.live(names)


@st.fragment
def form() -> None:
    """What to learn from and who learns on the left; how long, what it costs and Start beside."""
    what, how = st.columns([13, 8], gap="medium")
    data_card = what.container(border=True)
    dataset, ways, shots = data(data_card)
    ticked = algorithms(what, dataset)
    card = how.container(border=True, key="plan")
    chosen = Plan(dataset, *budget(card, dataset, ticked), ways, shots)
    if state.opened():
        chosen.read(state.get("set"), ticked)
    with what:
        every_setting(chosen, ticked)
    state.put("set", *chosen.written(ticked))
    with data_card:
        if DATASETS[dataset].keeps_several:
            own_pictures.choose(chosen)
        sample(chosen)
    with card:
        configs = wanted(chosen, ticked)
        start(configs, len(ticked))
        if configs:
            forecasts.card(configs)


def data(place: DeltaGenerator) -> tuple[str, int, int]:
    """The dataset, ways and shots (of a curve: points)."""
    place.subheader("1 · What to learn from", anchor=False)
    dataset = widgets.switch(
        place,
        "Dataset",
        "dataset",
        {name: kind.title for name, kind in DATASETS.items()},
        label_visibility="collapsed",
        help="The source of tasks; its training, validation and test classes are disjoint.",
    )
    place.caption(DATASETS[dataset].summary)
    task = {setting.name: setting for setting in settings_of(TaskConfig)}
    row = place.container(horizontal=True, vertical_alignment="bottom", gap="small")
    if DATASETS[dataset].regression:
        ways, shots = 5, number(row, task["shots"], 5, "points", "Points")
    else:
        ways = number(row, task["ways"], 5, "ways", "Ways")
        shots = number(row, task["shots"], 1, "shots", "Shots")
    help = "Draws another training episode of this kind."
    episode.another(row, "New sample", "sample", sample_number() + 1, help=help)
    return dataset, ways, shots


def number(place: DeltaGenerator, setting: Setting, default: int, key: str, label: str) -> int:
    low, high = int(setting.low or 0), int(setting.high or 0)
    return widgets.number(
        place, label, key, usual=default, low=low, high=high, width=160, help=setting.help
    )


def sample_number() -> int:
    return widgets.whole("sample", usual=0, low=0, high=forms.LARGEST)


def sample(chosen: Plan) -> None:
    """A real episode as it was chosen, or why there is none."""
    try:
        config = chosen.data(chosen.shared())
        sample_episode.show(config, sample_number())
        sample_episode.notes(config)
    except UserError as error:
        say.info(error, icon=":material/info:")


def algorithms(place: DeltaGenerator, dataset: str) -> list[str]:
    """The ticked ones that can learn this dataset."""
    place.subheader("2 · Who learns", anchor=False)
    ticked = []
    for name, family in FAMILIES.items():
        members = [each for each, kind in ALGORITHMS.items() if kind.family == name]
        place.caption(f"**{family.title}**")
        for start in range(0, len(members), 2):
            pair = members[start : start + 2]
            for column, name in zip(place.columns(2, gap="small"), pair, strict=False):
                if algorithm(column, name, dataset):
                    ticked.append(name)
    return ticked


def algorithm(place: DeltaGenerator, name: str, dataset: str) -> bool:
    """One algorithm's card; whether it is ticked."""
    kind = ALGORITHMS[name]
    card = place.container(border=True, key=f"card-{name}", height="stretch", gap="xsmall")
    label = kind.title
    if not plan.able(name, dataset):
        why = plan.why_not(name, dataset)
        card.checkbox(label, key=f"unable {name}", disabled=True, help=why)
        card.caption(why)
        return False
    ticked = widgets.checkbox(
        card,
        label,
        name,
        usual=name == plan.first(dataset),
        help=f"Trains {kind.title} with these data. {kind.paper}.",
    )
    card.caption(kind.summary)
    for line in kind.formula:
        card.markdown(f"${line}$")
    return ticked


def budget(place: DeltaGenerator, dataset: str, ticked: Sequence[str]) -> tuple[str, int, str]:
    """The preset, the seed and the device."""
    place.subheader("3 · How long", anchor=False)
    level = widgets.switch(
        place,
        "Preset",
        "preset",
        {name: LEVELS[name][0] for name in PRESETS},
        label_visibility="collapsed",
        width="stretch",
        help="A whole set of settings; each of them can be changed under “Every setting”.",
    )
    place.caption(length(ticked[0] if ticked else plan.first(dataset), dataset, level))
    more = place.expander("Name, seed, device", icon=":material/tune:")
    widgets.text(
        more,
        "Name",
        "name",
        max_chars=NAME_LENGTH - 16,
        placeholder="algorithm and dataset",
        help="What the run is called; several get their algorithm's name added.",
    )
    seed = widgets.number(
        more,
        "Seed",
        "seed",
        usual=0,
        low=0,
        high=forms.LARGEST,
        help="Names every random choice: the same seed and settings give the same run.",
    )
    device = widgets.select(
        more,
        "Device",
        "device",
        {name: "Automatic" if name == "auto" else name for name in plan.devices()},
        help="Where it is trained; automatic takes a GPU if there is one.",
    )
    return level, seed, device


def length(algorithm_name: str, dataset: str, level: str) -> str:
    """What a preset means, in time or in meta-steps."""
    settings = Plan(dataset, level, 0, "auto", 5, 1).preset(algorithm_name).training
    amount = (
        words.duration(settings.seconds)
        if settings.seconds
        else f"{words.count(settings.iterations)} meta-steps"
    )
    return f"{amount} each: {LEVELS[level][1]}."


def every_setting(chosen: Plan, ticked: Sequence[str]) -> None:
    """All hyperparameters, those of one algorithm at a time; what is hidden is remembered."""
    changed = {name: chosen.changed(name) for name in ticked}
    place = st.expander(
        "Every setting",
        icon=":material/tune:",
        key="every setting",
        on_change="rerun",
    )
    if any(changed.values()):
        said = ", ".join(
            f"{words.several(count, 'setting')} of {ALGORITHMS[name].title}"
            for name, count in changed.items()
            if count
        )
        st.caption(f"Changed from the preset: {said}.")
    if place.open:
        with place:
            settings(chosen, ticked)


def settings(chosen: Plan, ticked: Sequence[str]) -> None:
    options = [DATA, *ticked]
    shown = st.segmented_control(
        "Settings of",
        options,
        default=options[-1] if len(options) == 2 else DATA,
        required=True,
        format_func=lambda name: ALGORITHMS[name].title if name in ALGORITHMS else name,
        key=f"settings of {' '.join(ticked)}",
        help="Each algorithm has settings of its own; those of the data are shared by all.",
    )
    if shown == DATA or shown is None:
        plan.data_fields(chosen)
    else:
        plan.algorithm_fields(chosen, shown)


def wanted(chosen: Plan, ticked: Sequence[str]) -> list[RunConfig]:
    """The runs that would be started; what stands in the way is said."""
    configs = {}
    for name in ticked:
        try:
            config = chosen.config(name)
            visitor.current().refuse_budget(config.training)
            configs[name] = config
        except UserError as error:
            say.error(f"{ALGORITHMS[name].title}: {error}", icon=":material/error:")
    standings = plan.possible([*configs.values()])
    for name, found in zip([*configs], standings, strict=True):
        if found.error:
            del configs[name]
            say.error(f"{ALGORITHMS[name].title}: {found.error}", icon=":material/error:")
    return [*configs.values()]


def start(configs: Sequence[RunConfig], ticked: int) -> None:
    """The button everything leads to."""
    ready = bool(configs) and len(configs) == ticked
    label = "Start training" if len(configs) < 2 else f"Start {len(configs)} trainings"
    with st.container(key="go"):
        pressed = st.button(
            label,
            key="start",
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            disabled=not ready,
            help="Queues what is ticked; it goes on when you close this page.",
        )
    if configs:
        room(len(configs))
    if not ticked:
        st.info("Tick at least one algorithm.", icon=":material/check_box:")
    plan.preparing(configs)
    if pressed:
        begin(configs)


def room(more: int) -> None:
    """Why so many cannot be started now, before anyone presses; nothing where they can."""
    try:
        engine.store().refuse_more(more)
    except UserError as error:
        say.info(error, icon=":material/hourglass_top:")


def begin(configs: Sequence[RunConfig]) -> None:
    """Queues the runs and shows them."""
    store, name = engine.store(), " ".join(state.get("name")).strip()
    try:
        store.refuse_more(len(configs))
        for found in plan.possible(configs, moment=PREPARE_SECONDS):
            if found.error:
                raise found.error
        runs = [submit(store, config, called(name, config, len(configs))) for config in configs]
        dispatch(store)
    except UserError as error:
        say.error(error, icon=":material/error:")
        return
    st.switch_page("lab/train.py", query_params={"run": [run.id for run in runs]})


def called(name: str, config: RunConfig, several: int) -> str | None:
    if not name:
        return None
    return name if several == 1 else f"{name} {config.algorithm_class.name}"


def style() -> None:
    """The page's style sheet, with the colours of this theme."""
    st.html(STYLE)
    colors = "\n".join(
        f".st-key-card-{name} {{ --algorithm: {palette.algorithm(name, charts.theme())}; }}"
        for name in ALGORITHMS
    )
    paper = f".st-key-go {{ --paper: {palette.PAPER[charts.theme()]}; }}"
    st.html(f"<style>{colors}\n{paper}</style>")


style()
asked = training.asked_for()
if asked:
    watch(asked)
else:
    st.title("Train", anchor=False)
    st.markdown("Choose data and algorithms, then press **Start training**: all is set to try it.")
    form()

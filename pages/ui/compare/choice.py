"""Which runs meet, and on what kind of task: everything below on the page is about this."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from metacore import DATASETS, Run
from metacore.answers.episode_spec import EpisodeSpec, drawn_queries
from metacore.answers.questions import Learned, Loadable
from metacore.runs import ComparisonJob, Question
from metacore.runs.question import MOST_RUNS
from metacore.settings import Config
from metacore.training.config import config_owner
from metacore.training.conversion import conversion
from metacore.training.seeds import over_seeds
from pages.ui import episode, pick, protocol, say, state, waiting, widgets, words

EACH_OWN = "each run's own"
OWN = {EACH_OWN: EACH_OWN}
OFFER = "Tick “Convert pictures”, and they meet."
FIRST_RUNS = 3  # of algorithms that differ the most
MOST_WATCHED = 6  # films side by side, and curves that can be told apart


@dataclass(frozen=True, kw_only=True)
class CompareChoice:
    """Runs with the same kind of input, and the tasks they meet on."""

    runs: tuple[Run, ...]
    dataset: Config
    ways: int
    shots: int
    queries: int
    norm: str | None  # None: each run's own
    steps: int | None
    convert: bool = False  # pictures of another kind or size into such as a run takes

    @property
    def conversions(self) -> list[str]:
        """What becomes of the pictures for each run; empty where nothing does."""
        return [conversion(run.config, self.dataset) for run in self.runs]

    @property
    def regression(self) -> bool:
        return bool(config_owner(DATASETS, self.dataset).regression)

    @property
    def name(self) -> str:
        """Of the dataset."""
        return str(config_owner(DATASETS, self.dataset).name)

    @property
    def metric(self) -> str:
        return "mse" if self.regression else "accuracy"

    @property
    def kinds(self) -> list[str]:
        return [pick.kind(run) for run in self.runs]

    @property
    def colors(self) -> list[str]:
        return pick.colors(self.runs)

    def watched(self) -> "CompareChoice":
        """As many of the runs as can be watched side by side, of different methods first."""
        if len(self.runs) <= MOST_WATCHED:
            return self
        methods = over_seeds([run.config for run in self.runs], [0.0] * len(self.runs))
        firsts = [self.runs[method.places[0]] for method in methods]
        others = [run for run in self.runs if run not in firsts]
        return replace(self, runs=(*firsts, *others)[:MOST_WATCHED])

    def spec(self, seed: int) -> EpisodeSpec:
        """One episode, with no more queries than can be looked at."""
        fewer = drawn_queries(self.ways, self.queries)
        return EpisodeSpec(
            dataset=self.dataset,
            ways=self.ways,
            shots=self.shots,
            queries=self.queries if self.regression else fewer,
            seed=seed,
            name=self.name,
        )

    def question(self, *, episodes: int, sweep: str = "", values: Sequence[int] = ()) -> Question:
        return Question(
            runs=tuple(run.id for run in self.runs),
            dataset={"name": self.name, **self.dataset.to_dict()},
            ways=self.ways,
            shots=self.shots,
            queries=self.queries,
            steps=self.steps,
            norm=self.norm,
            episodes=episodes,
            sweep=sweep,
            values=tuple(values),
            convert=self.convert and any(self.conversions),
        )


def choose(linked: ComparisonJob | None) -> CompareChoice | None:
    """The pickers; what a linked comparison asked is what they start from."""
    found = pick.usable()
    if len(found) < 2:
        pick.missing("A comparison needs two runs with weights.")
        return None
    wanted = linked.question if linked else None
    linked_runs = wanted.runs if wanted else ()
    row = st.container(horizontal=True, vertical_alignment="center")
    tasks, beside = row.container(width="content"), row.container(width="content")
    convert = _convert(found, wanted, beside)
    found = pick.alike(
        found, tasks, linked=linked_runs, changed=_start_anew, convert=convert, offer=OFFER
    )
    usual = _usual(found, wanted)
    _join(found, usual)
    runs = pick.several(
        found,
        usual,
        most=MOST_RUNS,
        help=f"Two to {MOST_RUNS} runs of inputs that are alike, in the order in which they are"
        " shown. Runs that differ by seed only are also taken together.",
    )
    runs = _sound(runs)
    if len(runs) < 2:
        st.info("Pick at least two runs: then they meet on the same tasks.", icon=":material/add:")
        return None
    convert = convert and not pick.regression(runs[0])
    if wanted and not (convert or runs[0].config.takes(wanted.source)):
        wanted = None
    choice = _protocol(tuple(runs), wanted, convert=convert)
    _say_converted(choice)
    return choice


def _convert(found: Sequence[Run], wanted: Question | None, place: Any) -> bool:
    """Whether runs of other pictures may meet; offered where there are pictures at all."""
    if all(pick.regression(run) for run in found):
        return False
    return widgets.checkbox(
        place,
        "Convert pictures",
        "convert",
        usual=bool(wanted and wanted.convert),
        help="Runs that were trained on pictures of another kind or size may take part, and other"
        " datasets be tested on: each picture is turned into such as the run takes (ink to colour"
        " and back, another size). Without it they cannot share an episode.",
    )


def _say_converted(choice: CompareChoice) -> None:
    said = [
        f"**{words.plain(run.name)}** {converted}"
        for run, converted in zip(choice.runs, choice.conversions, strict=True)
        if converted
    ]
    if said:
        st.caption(f"Pictures are converted for {', '.join(said)}.")


def _start_anew() -> None:
    """Other tasks, other runs: nothing that was asked before is about them."""
    state.drop(pick.RUNS, "comparison", "by_shots", "by_ways")


def _join(found: Sequence[Run], usual: Sequence[Run]) -> None:
    """A link about one run meets it with others: alone it could not be compared."""
    ids = {run.id for run in found}
    linked = [run_id for run_id in state.get(pick.RUNS) if run_id in ids]
    if len(linked) == 1 and state.came_with_link(pick.RUNS):
        others = [run.id for run in usual if run.id not in linked]
        state.put(pick.RUNS, *linked, *others[:2])


def _usual(found: Sequence[Run], wanted: Question | None) -> list[Run]:
    """What the linked comparison was about, else algorithms that differ the most."""
    asked = [run for run in found if wanted and run.id in wanted.runs]
    return asked or pick.varied(found, most=FIRST_RUNS, least=2)


def _sound(runs: Sequence[Run]) -> list[Run]:
    """Those whose weights can be read; the others meet without the rest, which is said. Where it
    is not known within a moment, the duel will say it."""
    asked = [(run, Loadable(learned=Learned.by(run))) for run in runs]
    errors = [found.error for found in waiting.several([question for _, question in asked])]
    for run, error in zip(runs, errors, strict=True):
        if error:
            say.left_out(run, error)
    return [run for run, error in zip(runs, errors, strict=True) if not error]


def _protocol(runs: tuple[Run, ...], wanted: Question | None, *, convert: bool) -> CompareChoice:
    first, variants = runs[0].config, _variants(runs, convert=convert)
    usual = wanted.task if wanted else first.task.to_dict()
    regression = first.dataset_class.regression
    kind = "curve_" if regression else ""  # what fits drawings must not linger where curves are
    places = iter(st.columns([1.4, 1.3, 1, 1] if regression else [1.2, 0.8, 0.8, 1.3, 1]))
    dataset = _dataset(next(places), f"{kind}dataset", variants, wanted)
    ways, norm = usual["ways"], None
    if not regression:
        ways = episode.ways(next(places), ways)
    name = f"{kind}shots"
    shots = episode.shots(next(places), usual["shots"], name=name, regression=regression)
    if not regression:
        modes, asked = protocol.shared_modes(runs), wanted.norm if wanted else None
        norm = protocol.normalisation(next(places), modes, own=OWN, usual=asked)
    steps = protocol.inner_steps(
        next(places),
        name=f"{kind}steps",
        usual=wanted.steps if wanted else None,
        placeholder=EACH_OWN,
    )
    return CompareChoice(
        runs=runs, dataset=dataset, ways=ways, shots=shots, queries=usual["queries"], norm=norm,
        steps=steps, convert=convert,
    )  # fmt: skip


def _variants(runs: Sequence[Run], *, convert: bool) -> dict[str, Config]:
    """Datasets whose inputs fit, by what they are called: as the runs know them, or as usual."""
    found: dict[str, Config] = {}
    seen: Counter[str] = Counter()
    for config in _configs(runs, convert=convert):
        if config not in found.values():
            title = words.clean(config_owner(DATASETS, config).called(config))
            seen[title] += 1
            found[f"{title} (variant {seen[title]})" if seen[title] > 1 else title] = config
    return found


def _configs(runs: Sequence[Run], *, convert: bool) -> Iterable[Config]:
    known = {run.config.dataset_class for run in runs}
    own = [run.config.dataset for run in runs]
    yield from (config for config in own if convert or _all_take(runs, config))
    for kind in DATASETS.values():
        for config in kind.variants():
            usual = kind in known and config == kind.Config()  # its runs' own variants are there
            converted = convert and kind.ready() and not kind.regression
            if not usual and (converted or _all_take(runs, config)):
                yield config


def _all_take(runs: Sequence[Run], config: Config) -> bool:
    return all(run.config.takes(config) for run in runs)


def _dataset(place: Any, key: str, variants: dict[str, Config], wanted: Question | None) -> Config:
    usual = next((name for name, each in variants.items() if _asked(wanted, each)), "")
    chosen = widgets.select(
        place,
        "Dataset",
        key,
        [*variants],
        usual=usual,
        help="Where the test tasks come from; it need not be what the runs were trained on.",
    )
    return variants[chosen]


def _asked(wanted: Question | None, config: Config) -> bool:
    return wanted is not None and wanted.source == config

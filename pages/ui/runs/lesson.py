"""What a run has from its teacher: both of them and the same run learning alone, side by side."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from metacore import Run, UserError
from metacore.answers import EpisodeSpec, Standing
from metacore.answers.questions import BackgroundEpisodes, BackgroundScores, Costs, Learned
from metacore.insight.cost import Cost
from metacore.runs import dispatch, submit, teachers
from metacore.runs.store import NAME_LENGTH
from metacore.statistics import mean_ci95, paired_difference, score
from pages.ui import charts, engine, pick, say, waiting, words

EPISODES = 600
TEACHER, TAUGHT, ALONE = "Teacher", "Taught", "Learning alone"


def show(run: Run) -> None:
    """Of a finished run that was taught; of others there is nothing to say."""
    if run.config.teacher is None or run.active or engine.weights_of(run) is None:
        return
    charts.title(
        "What it has from its teacher",
        help="Its teacher, itself, and the same network with the same training tasks and seed that"
        " has learned from the true answers alone.",
    )
    met = people(run)
    if TEACHER not in met:
        asked = words.plain(run.config.teacher)
        st.caption(
            f"Its teacher, {asked}, is not here: it was deleted or renamed, or stayed where this"
            " run came from."
        )
    if len(met) > 1:
        measured(met)
        st.page_link(
            "lab/compare.py",
            label="Compare them",
            icon=":material/balance:",
            query_params={pick.RUNS: [each.id for each in met.values()], "chart": "Cost"},
        )
    if ALONE not in met:
        train_alone(run)


def people(run: Run) -> dict[str, Run]:
    """Those that are here, by their part."""
    runs = engine.store().runs()
    asked, alone = run.config.teacher, teachers.untaught_twin(runs, run)
    teacher = next((each for each in runs if asked in (each.id, each.name)), None)
    found = {TEACHER: teacher, TAUGHT: run, ALONE: alone}
    return {part: each for part, each in found.items() if each and engine.weights_of(each)}


@st.fragment
def measured(met: dict[str, Run]) -> None:
    """All on the same test episodes, and the same task under the clock."""
    own = met[TAUGHT]
    learned = tuple(Learned.by(each) for each in met.values())
    spec = EpisodeSpec.like(own)
    scored = [
        BackgroundEpisodes(learned=each, spec=spec.background(), total=EPISODES) for each in learned
    ]
    clock = Costs(learned=learned, spec=spec)
    found, costs = waiting.several(scored), waiting.one(clock)
    waiting.bar([*scored, clock], "They meet the same tasks", key="lesson")
    standings: list[Standing[Any]] = [*found, costs]
    error = next((each.error for each in standings if each.error), None)
    if error:
        say.error(error)
    elif all(each.complete and each.value for each in standings):
        table(met, [each.get() for each in found], costs.get())
        verdicts(met, [each.get() for each in found])


def table(met: dict[str, Run], found: Sequence[BackgroundScores], costs: Sequence[Cost]) -> None:
    st.table(
        [_line(*each) for each in zip(met.items(), found, costs, strict=True)],
        border="horizontal",
        hide_index=True,
        alt="A row for the teacher, the run it taught and the same run learning alone.",
    )


def _line(part: tuple[str, Run], found: BackgroundScores, cost: Cost) -> dict[str, str]:
    name, run = part
    return {
        "": name,
        "Run": words.plain(run.name),
        "Accuracy": words.unbroken(score(run.metric, *mean_ci95(found.last))),
        "Parameters": words.count(cost.parameters),
        "Answers a query in": words.unbroken(words.brief(cost.answer_ms / 1000)),
    }


def verdicts(met: dict[str, Run], found: Sequence[BackgroundScores]) -> None:
    """Task by task against the one that was taught."""
    scores, own = dict(zip(met, found, strict=True)), met[TAUGHT]
    for part, other in met.items():
        if part != TAUGHT:
            pair = paired_difference(
                own.name, other.name, scores[TAUGHT].last, scores[part].last, accuracy=True
            )
            st.markdown(f"- {words.plain(pair.verdict[0].upper() + pair.verdict[1:])}")
    episodes = words.count(found[0].episodes)
    st.caption(f"{episodes} shared test episodes, {words.task(own)}; ± is the 95% interval.")


def train_alone(run: Run) -> None:
    """What is missing to know what the teacher was worth."""
    st.caption("No run here has learned the same alone, so nobody knows what the teacher is worth.")
    if st.button(
        "Train it untaught",
        icon=":material/model_training:",
        help="Queues the same run with weight 0: it learns from the true answers alone.",
    ):
        try:
            begin(run)
        except UserError as error:
            say.error(error)


def begin(run: Run) -> None:
    store = engine.store()
    name = f"{run.name[: NAME_LENGTH - 16]} untaught"
    alone = submit(store, run.config.untaught(), name)
    dispatch(store)
    st.switch_page("lab/train.py", query_params={"run": [alone.id]})

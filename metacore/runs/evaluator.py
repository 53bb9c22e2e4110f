"""The evaluation of a comparison: all runs on the same episodes, over all of its tasks."""

from metacore.runs.files import load_params
from metacore.runs.question import Question
from metacore.runs.results import Contestant, Result, result
from metacore.runs.shared_episodes import Progress, evaluate_on_same_episodes
from metacore.runs.store import Store
from metacore.training.evaluate import Evaluation
from metacore.training.learner import build

WARMING_EPISODES = 2


def compare(store: Store, question: Question, progress: Progress) -> Result:
    """The answer; `progress` hears how many episodes are done, over all runs and tasks."""
    contestants = [_contestant(store, run) for run in question.runs]
    _warm_up(question, contestants)
    by_task = [
        _scores(question, contestants, task, progress, before=number)
        for number, task in enumerate(question.tasks)
    ]
    return result(question, contestants, by_task)


def _contestant(store: Store, run_id: str) -> Contestant:
    run = store.get(run_id)
    return Contestant(run, build(run.config, load_params(run.folder), "auto"))


def _warm_up(question: Question, contestants: list[Contestant]) -> None:
    """What a device does only once must not count as the first run's seconds per episode."""
    learners = [contestant.learner for contestant in contestants]
    asked = {**question.task, **question.protocol}
    evaluate_on_same_episodes(learners, question.source, episodes=WARMING_EPISODES, **asked)


def _scores(
    question: Question,
    contestants: list[Contestant],
    task: dict[str, int],
    progress: Progress,
    *,
    before: int,
) -> list[Evaluation]:
    learners = [contestant.learner for contestant in contestants]
    done = before * len(learners) * question.episodes
    return evaluate_on_same_episodes(
        learners,
        question.source,
        episodes=question.episodes,
        progress=lambda more: progress(done + more),
        **task,
        **question.protocol,
    )

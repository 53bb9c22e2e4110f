"""The evaluation of a comparison: all runs on the same episodes, over all of its tasks."""

from metacore.insight.best import best_score
from metacore.runs.files import load_params
from metacore.runs.question import Question
from metacore.runs.results import Contestant, Result, result
from metacore.runs.shared_episodes import (
    Progress,
    dataset_for,
    evaluate_on_same_episodes,
    shifted,
)
from metacore.runs.store import Store
from metacore.training.learner import build

WARMING_EPISODES = 2


def compare(store: Store, question: Question, progress: Progress) -> Result:
    """The answer; `progress` hears how many episodes are done, over all runs and tasks."""
    contestants = [
        Contestant(run, build(run.config, load_params(run.folder), "auto"))
        for run in map(store.get, question.runs)
    ]
    learners, source = [contestant.learner for contestant in contestants], question.source
    # What a device does only once must not count as the first run's seconds per episode.
    asked = {**question.task, **question.protocol}
    evaluate_on_same_episodes(learners, source, episodes=WARMING_EPISODES, **asked)
    by_task = [
        evaluate_on_same_episodes(
            learners,
            source,
            episodes=question.episodes,
            progress=shifted(progress, number * len(learners) * question.episodes),
            **{**asked, **task},
        )
        for number, task in enumerate(question.tasks)
    ]
    own = by_task[0][0].protocol
    best = best_score(dataset_for(learners[0], source, convert=question.convert), own)
    return result(question, contestants, by_task, best)

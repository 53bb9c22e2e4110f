"""A class: everyone has their own runs, not too many, and a teacher has them all."""

import io
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from metacore.datasets import library
from metacore.datasets.folder import FolderConfig
from metacore.errors import UserError
from metacore.models.networks import Conv4
from metacore.runs import (
    cancel,
    comparisons,
    dispatch,
    execute,
    export,
    import_,
    resume,
    submit,
)
from metacore.runs.classroom import (
    LONGEST_QUEUE,
    VARIABLE,
    Classroom,
    Limits,
    Visitor,
    classroom,
    digest,
)
from metacore.runs.database import SCRIPTS, Database
from metacore.runs.execution import Trainings
from metacore.runs.kind import OVERDUE_SECONDS
from metacore.runs.process import identify
from metacore.runs.question import Question
from metacore.runs.store import Store
from metacore.training.config import RunConfig
from metacore.training.presets import preset
from tests.datasets.pictures import draw_classes
from tests.runs.conftest import MakeConfig

LIMITS = Limits(quota=2, seconds=300, iterations=1000, kept=3)
TEACHER = Visitor("teacher")


@pytest.fixture
def anna(store: Store) -> Store:
    return store.used_by(Visitor("anna", LIMITS))


@pytest.fixture
def bert(store: Store) -> Store:
    return store.used_by(Visitor("bert", LIMITS))


def trained(store: Store, config: RunConfig) -> Question:
    """A question about two runs that have weights."""
    runs = [execute(store, store.create(config, here=True)) for _ in range(2)]
    dataset = {"name": "sinusoid", **config.dataset.to_dict()}
    return Question(runs=tuple(run.id for run in runs), dataset=dataset, shots=5, episodes=4)


def test_what_somebody_starts_is_theirs(anna: Store, config: RunConfig) -> None:
    assert submit(anna, config).owner == "anna"


@pytest.mark.parametrize("who", ["bert", ""])
def test_others_change_nothing(anna: Store, config: RunConfig, who: str) -> None:
    run = submit(anna, config)
    other = anna.used_by(Visitor(who, LIMITS))
    for attempt in (
        lambda: cancel(other, run),
        lambda: other.delete(run),
        lambda: other.rename(run, "mine"),
        lambda: other.annotate(run, "mine"),
        lambda: other.tag(run, ["mine"]),
    ):
        with pytest.raises(UserError, match="belongs to somebody else"):
            attempt()
    assert anna.get(run.id) == run


def test_an_ended_run_is_resumed_only_by_whoever_started_it(
    anna: Store, bert: Store, config: RunConfig
) -> None:
    run = cancel(anna, submit(anna, config))
    with pytest.raises(UserError, match="belongs to somebody else"):
        resume(bert, run)
    assert resume(anna, run).status == "queued"


def test_the_owner_and_a_teacher_may_do_all(anna: Store, config: RunConfig) -> None:
    run = anna.rename(submit(anna, config), "hers")
    teacher = anna.used_by(TEACHER)
    assert cancel(teacher, run).status == "cancelled"
    assert teacher.rename(run, "seen").name == "seen"
    teacher.delete(run)
    assert anna.runs() == []


def test_a_run_of_nobody_belongs_to_no_visitor(store: Store, config: RunConfig) -> None:
    run = submit(store, config)
    with pytest.raises(UserError, match="belongs to somebody else"):
        cancel(store.used_by(Visitor("", LIMITS)), run)


def test_the_quota_counts_what_waits_or_runs(anna: Store, bert: Store, config: RunConfig) -> None:
    first, _ = submit(anna, config), submit(anna, config)
    with pytest.raises(UserError, match=r"You may have 2 .* 2 are yours already"):
        submit(anna, config)
    assert len(list(anna.folder.glob("*/config.json"))) == 2, "a refusal leaves nothing behind"
    submit(bert, config)
    cancel(anna, first)
    submit(anna, config)


def test_the_quota_is_refused_before_the_first_of_several_is_queued(anna: Store) -> None:
    anna.refuse_more(2)
    with pytest.raises(UserError, match=r"you have none now. Ask for fewer than 3"):
        anna.refuse_more(3)


def test_resuming_counts_too(anna: Store, config: RunConfig) -> None:
    run = cancel(anna, submit(anna, config))
    submit(anna, config), submit(anna, config)
    with pytest.raises(UserError, match="You may have 2"):
        resume(anna, run)


def test_two_tabs_at_once_do_not_get_around_the_quota(anna: Store, config: RunConfig) -> None:
    def start() -> None:
        try:
            submit(anna, config)
        except UserError:
            refused.append(1)

    refused: list[int] = []
    tabs = [threading.Thread(target=start) for _ in range(8)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert (len(anna.runs()), len(refused)) == (2, 6)


@pytest.mark.parametrize("budget", [{"iterations": 1001}, {"iterations": 0, "seconds": 301.0}])
def test_the_largest_budget(anna: Store, make_config: MakeConfig, budget: dict[str, float]) -> None:
    with pytest.raises(UserError, match="choose a smaller budget"):
        submit(anna, make_config(**budget))
    submit(anna.used_by(TEACHER), make_config(**budget))


def test_a_budget_cannot_be_stretched_by_continuing(anna: Store, make_config: MakeConfig) -> None:
    run = cancel(anna, submit(anna, make_config(iterations=1000)))
    with pytest.raises(UserError, match="choose a smaller budget"):
        resume(anna, run, iterations=2000)
    with pytest.raises(UserError, match="choose a smaller budget"):
        resume(anna, run, seconds=400)


def test_a_training_stops_when_its_time_is_up_whatever_its_budget(
    store: Store, make_config: MakeConfig
) -> None:
    brief = Visitor("anna", replace(LIMITS, seconds=1))
    anna = store.used_by(brief)
    ended = execute(store, submit(anna, make_config(iterations=1000, tasks=64)))
    assert ended.status == "cancelled"
    assert ended.seconds >= 1
    assert ended.message == "Stopped after 1 seconds, the most a training may take here."
    with pytest.raises(UserError, match="the most a training may take"):
        resume(anna, ended)
    assert resume(store, ended).most_seconds is None, "who may do all has no end set"


def test_what_will_be_stopped_has_no_longer_left_than_that(
    anna: Store, make_config: MakeConfig
) -> None:
    run = replace(submit(anna, make_config(iterations=1000)), status="running", seconds=100.0)
    assert replace(run, rate=1.0).seconds_left == 200, "300 seconds is the most"
    assert replace(run, rate=100.0).seconds_left == 10
    assert run.seconds_left is None, "its speed is not known yet"


def test_only_so_many_runs_are_kept_for_one_visitor(
    store: Store, anna: Store, config: RunConfig, tmp_path: Path
) -> None:
    file = export(store, execute(store, store.create(config, here=True)), tmp_path / "run")
    arrived = [import_(anna, io.BytesIO(file.read_bytes()), "run") for _ in range(3)]
    assert {run.owner for run in arrived} == {"anna"}
    for attempt in (lambda: import_(anna, file), lambda: submit(anna, config)):
        with pytest.raises(UserError, match="a visitor may keep 3: delete some"):
            attempt()
    anna.delete(arrived[0])
    import_(anna, file)
    import_(store, file)


def test_the_queue_has_an_end_for_everyone(store: Store, config: RunConfig) -> None:
    for _ in range(LONGEST_QUEUE):
        submit(store, config)
    with pytest.raises(UserError, match=f"The queue is full: {LONGEST_QUEUE} wait"):
        submit(store, config)


def test_comparisons_count_and_belong_to_whoever_asked_first(
    store: Store, anna: Store, bert: Store, config: RunConfig
) -> None:
    question = trained(store, config)
    asked = [comparisons.ask(anna, replace(question, seed=seed)) for seed in range(2)]
    with pytest.raises(UserError, match="You may have 2"):
        comparisons.ask(anna, replace(question, seed=2))
    with pytest.raises(UserError, match="You may have 2"):
        submit(anna, config)
    shared = comparisons.ask(bert, question)
    assert (shared.id, shared.owner) == (asked[0].id, "anna")
    with pytest.raises(UserError, match="This comparison belongs to somebody else"):
        cancel(bert, shared)
    cancel(anna, shared)
    again = comparisons.retry(bert, shared.id)
    assert (again.status, again.owner, again.most_seconds) == ("queued", "bert", 300)


def test_who_has_not_signed_in_starts_nothing(store: Store, config: RunConfig) -> None:
    with pytest.raises(UserError, match="Sign in first"):
        submit(store.used_by(Visitor("", LIMITS)), config)


def test_the_teachers_key_makes_a_teacher_until_they_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Classroom(LIMITS, digest("teacher", "open sesame"), ("Ada@school.example",))
    monkeypatch.setenv(VARIABLE, made.to_json())
    found = classroom()
    assert found is not None
    assert found is classroom(), "one for all visitors of a server"
    assert found.fits("open sesame")
    assert not found.fits("open sesam")
    assert "sesame" not in made.to_json()
    assert found.teaches("ada@school.example")
    assert not found.teaches("bob@school.example")
    assert found.visitor("x").limits == LIMITS
    found.enter("x")
    assert found.visitor("x").limits is None
    found.leave("x")
    assert found.visitor("x").limits == LIMITS


def test_nobody_cannot_become_a_teacher() -> None:
    room = Classroom(LIMITS, digest("teacher", "key"))
    room.enter("")
    assert room.visitor("").limits == LIMITS


def test_there_is_no_class_at_ones_own_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert classroom() is None
    monkeypatch.setenv(VARIABLE, "[]")
    with pytest.raises(UserError, match="unset it"):
        classroom()


def test_a_database_from_before_there_were_classes_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: RunConfig
) -> None:
    owners = next(n for n, script in enumerate(SCRIPTS) if "owner" in script)
    with monkeypatch.context() as before:
        before.setattr("metacore.runs.database.SCRIPTS", SCRIPTS[:owners])
        with Database(tmp_path / "runs.db").writing() as db:
            db.execute(
                "INSERT INTO runs (id, name, status, values_json, metric, device, created) VALUES"
                " ('old', 'old', 'finished', '{}', 'mse', 'cpu', 1)"
            )
    assert Store(tmp_path).get("old").owner == ""


def test_what_has_not_stopped_itself_long_after_its_time_is_killed(
    store: Store, anna: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = submit(anna, config)
    hung = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    try:
        Trainings(store).launch(lambda _run: identify(hung.pid))
        dispatch(store)
        assert hung.poll() is None, "there is time left"
        now = time.time()
        late = 2 * LIMITS.seconds + OVERDUE_SECONDS + 5
        monkeypatch.setattr(time, "time", lambda: now + late)
        dispatch(store)
        assert hung.wait(10) != 0
        assert store.get(run.id).status == "failed"
    finally:
        hung.kill()
        hung.wait()


def test_what_a_visitor_starts_or_brings_names_no_place_on_the_server(
    store: Store, anna: Store, make_config: MakeConfig, tmp_path: Path
) -> None:
    elsewhere = preset("protonet", "folder", "demo").replace(dataset=FolderConfig(path="/etc"))
    with pytest.raises(UserError, match="on a server for a class, path is no place"):
        submit(anna, elsewhere)
    run = execute(store, store.create(make_config(), here=True))
    question = {"name": "folder", **elsewhere.dataset.to_dict()}
    with pytest.raises(UserError, match="path is no place on the server"):
        comparisons.ask(anna, Question(runs=(run.id, "other"), dataset=question))
    assert [found.id for found in store.runs()] == [run.id]
    library.add("folder", draw_classes(tmp_path / "cats", {"a": 1, "b": 1}))
    submit(anna, elsewhere.replace(dataset=FolderConfig(path="cats")))


def test_an_imported_record_names_no_place_on_the_server(
    store: Store, anna: Store, tmp_path: Path
) -> None:
    folder = draw_classes(tmp_path / "mine", {f"class {number}": 8 for number in range(12)})
    config = preset("scratch", "folder", "demo", ways=2)
    config = config.replace(
        dataset=FolderConfig(path=str(folder), size=16), model=Conv4(width=4), device="cpu"
    )
    training = replace(config.training, iterations=1, validation_episodes=2)
    run = execute(store, store.create(config.replace(training=training), here=True))
    assert run.status == "finished", run.message
    file = export(store, run, tmp_path / "run.zip")
    with pytest.raises(UserError, match="path is no place on the server"):
        import_(anna, file)
    assert import_(store, file).config.dataset == config.dataset

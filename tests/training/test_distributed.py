"""Two processes compute the meta-gradient that one computes, and only the first one writes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from metacore.algorithms.base import MetaStep
from metacore.errors import UserError
from metacore.training.distributed import World, _unflatten
from metacore.training.trainer import Trainer
from tests.training.small import small

# Plain SGD moves by the gradient itself; Adam would blow up differences in the last bit.
PLAIN = {"tasks": 5, "iterations": 3, "optimiser": "sgd", "learning_rate": 0.1}
WORKER = """
import os
import sys
import torch
from metacore.training import distributed
from metacore.training.trainer import Trainer
from tests.training.small import small
from tests.training.test_distributed import PLAIN

world = distributed.join(torch.device("cpu"))
trainer = Trainer(small(*sys.argv[1:3], **PLAIN), world=world)
trainer.run()
if world.first:
    torch.save(trainer.params, sys.argv[3])
distributed.leave()
if hasattr(os, "sched_getaffinity"):  # Linux: threads that outlive the group may abort the exit
    assert len(os.listdir("/proc/self/task")) == 1
"""


def torchrun(*command: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    return subprocess.run(
        [*launcher, "--master-addr", "127.0.0.1", "--master-port", port, *command],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("algorithm", "dataset"), [("maml", "sinusoid"), ("reptile", "glyphs"), ("protonet", "glyphs")]
)
def test_two_processes_learn_what_one_learns(algorithm: str, dataset: str, tmp_path: Path) -> None:
    script, result = tmp_path / "worker.py", tmp_path / "params.pt"
    script.write_text(WORKER)
    done = torchrun(str(script), algorithm, dataset, str(result))
    assert done.returncode == 0, done.stderr[-2000:]
    alone = Trainer(small(algorithm, dataset, **PLAIN))
    alone.run()
    together = torch.load(result, weights_only=True)
    for name, value in alone.params.items():
        assert torch.allclose(together[name], value, atol=1e-5), name


def test_the_command_line_leaves_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from metacore.runs import Store

    monkeypatch.setenv("METACORE_HOME", str(tmp_path))
    settings = ["--dataset", "sinusoid", "--iterations", "4", "--validation-episodes", "4"]
    done = torchrun("-m", "metacore", "train", *settings, "--json")
    assert done.returncode == 0, done.stderr[-2000:]
    (run,) = Store().runs()
    assert (run.status, run.iteration) == ("finished", 4)


def test_shares_cover_all_tasks_once() -> None:
    dataset = Trainer(small("maml")).learner.dataset
    task = {"tasks": 5, "ways": 1, "shots": 1, "queries": 1}
    episode = dataset.sample("train", **task, generator=torch.Generator().manual_seed(0))
    parts = [World(rank, 3).share(episode).support_x for rank in range(3)]
    assert torch.equal(torch.cat(parts), episode.support_x)
    with pytest.raises(UserError, match="5 tasks per meta-step cannot be shared by 6"):
        World(0, 6).share(episode)


def test_a_flat_vector_is_taken_apart_again() -> None:
    step = MetaStep({"w": torch.rand(2, 3)}, {"loss": torch.rand(())}, {"mean": torch.rand(4)})
    parts = [step.gradients, step.metrics, step.running]
    flat = torch.cat([value.flatten() for part in parts for value in part.values()])
    for part, again in zip(parts, _unflatten(flat, parts), strict=True):
        for name, value in part.items():
            assert torch.equal(again[name], value)

import io
import json
import math
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from metacore.algorithms import ALGORITHMS
from metacore.datasets import DATASETS
from metacore.errors import UserError
from metacore.models import MODELS
from metacore.runs import files, transfer
from metacore.runs.execution import execute
from metacore.runs.jobs import resume
from metacore.runs.record import LARGEST_CSV, MOST_ROWS, Metric, Run, metrics_csv, read_metrics
from metacore.runs.store import Store
from metacore.runs.transfer import export, import_
from metacore.training.checkpoint import Checkpoint
from metacore.training.config import RunConfig
from tests.runs.conftest import MakeConfig


@pytest.fixture(scope="module")
def trained(make_config: MakeConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Run]:
    """A finished run in a store that no test changes."""
    store = Store(tmp_path_factory.mktemp("trained"))
    return store, execute(store, store.create(make_config(), "sine"))


@pytest.fixture
def exported(trained: tuple[Store, Run], tmp_path: Path) -> Path:
    return export(*trained, tmp_path / "sine.metacore")


def rewritten(file: Path, **changes: bytes | None) -> Path:
    """The same export with parts replaced, added or (None) left out; `_` in a name is a dot."""
    with zipfile.ZipFile(file) as archive:
        parts: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    parts |= {name.replace("_", "."): data for name, data in changes.items()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            if data is not None:
                archive.writestr(name, data)
    return file


def facts_of(file: Path) -> dict[str, Any]:
    """Its run.json, without the digest that would not match what a test makes of it."""
    with zipfile.ZipFile(file) as archive:
        found = json.loads(archive.read("run.json"))
    return {name: value for name, value in found.items() if name != "digest"}


def checkpoint_of(file: Path) -> Checkpoint:
    with zipfile.ZipFile(file) as archive:
        return files.from_bytes(archive.read("last.safetensors"), "")


def refused(store: Store, file: Path, match: str) -> None:
    """The import fails with a sentence that names the file, and leaves nothing behind."""
    before = sorted(path.name for path in store.folder.iterdir()), store.runs()
    with pytest.raises(UserError, match=match) as caught:
        import_(store, file)
    assert str(file) in str(caught.value)
    assert (sorted(path.name for path in store.folder.iterdir()), store.runs()) == before


def test_what_was_exported_is_imported_whole(
    trained: tuple[Store, Run], store: Store, exported: Path
) -> None:
    origin, run = trained
    found = import_(store, exported)
    facts = ("name", "config", "status", "iteration", "seconds", "best_value", "best_ci95")
    assert all(getattr(found, fact) == getattr(run, fact) for fact in facts)
    assert [m[1:] for m in store.metrics(found)] == [m[1:] for m in origin.metrics(run)]
    for which in ("best", "last"):
        mine, theirs = files.load(run.folder, which), files.load(found.folder, which)
        assert files.digest(mine.tensors) == files.digest(theirs.tensors)


def test_notes_and_tags_travel_along(store: Store, exported: Path, tmp_path: Path) -> None:
    run = store.annotate(store.tag(import_(store, exported), ["kept"]), "a note")
    found = import_(store, export(store, run, tmp_path / "again.metacore"))
    assert (found.tags, found.note, found.name) == (("kept",), "a note", "sine 2")


def test_an_imported_run_can_go_on(store: Store, exported: Path, make_config: MakeConfig) -> None:
    longer = execute(store, resume(store, import_(store, exported), iterations=50))
    straight = execute(store, store.create(make_config(iterations=50)))
    mine, theirs = (files.load(run.folder, "last") for run in (longer, straight))
    assert files.digest(mine.tensors) == files.digest(theirs.tensors)


def test_a_run_without_weights_is_not_exported(
    store: Store, config: RunConfig, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no weights yet"):
        export(store, store.create(config), tmp_path / "x")


def test_what_is_no_export_is_refused(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    refused(store, file, "no file")
    file.write_bytes(b"hello")
    refused(store, file, "not an exported run")


def test_a_truncated_or_altered_export_is_refused(store: Store, exported: Path) -> None:
    data = exported.read_bytes()
    exported.write_bytes(data[: len(data) // 2])
    refused(store, exported, "not an exported run, or is damaged")
    middle = data.index(b"last.safetensors") + 200
    exported.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    refused(store, exported, "not an exported run, or is damaged")


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil", "extra/best.safetensors", "a.pkl"])
def test_only_expected_names_are_unpacked(store: Store, exported: Path, name: str) -> None:
    with zipfile.ZipFile(exported, "a") as archive:
        archive.writestr(name, b"x")
    refused(store, exported, "it contains")


def test_missing_parts_are_refused(store: Store, exported: Path) -> None:
    refused(store, rewritten(exported, metrics_csv=None), "missing")


def test_a_file_that_unpacks_to_too_much_is_refused(
    store: Store, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "LARGEST_BYTES", 1000)
    refused(store, exported, "larger than any run")


def test_a_config_of_nonsense_is_refused(store: Store, exported: Path) -> None:
    refused(store, rewritten(exported, config_json=b"[" * 100_000), "not a JSON object")
    refused(store, rewritten(exported, config_json=b"{}"), "not the description of a run")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iteration", "many"),
        ("iteration", 10**30),
        ("best_value", []),
        ("name", 3),
        ("note", "half a character: \ud800"),
        ("format", 2),
    ],
)
def test_facts_of_the_wrong_kind_are_refused(
    store: Store, exported: Path, name: str, value: object
) -> None:
    with zipfile.ZipFile(exported) as archive:
        facts = json.loads(archive.read("run.json"))
    changed = json.dumps({**facts, name: value}).encode()
    said = f"no valid {name}|another version|no half character"
    refused(store, rewritten(exported, run_json=changed), said)


NOWHERE = [math.nan, math.inf, -math.inf, 1e308, -5, "1", True, [1]]
WRONG = {
    "iteration": [2**53, -1, 1.5],
    "tags": [["\ud800"], ["x" * 61], ["two\nlines"], [""], ["t"] * 51, "tag", [["nested"]], [1]],
    "environment": [{"memory": math.nan}, {"name": "x" * 501}, {"deep": {"er": 1}}, {"x" * 81: 1}],
    "note": ["x" * 10_001, 3],
    "message": ["x" * 10_001],
    "status": ["done", ""],
    "metric": ["loss", "accuracy"],
    "device": ["x" * 81, "cpu\n"],
    "extra": [1],
}
for number in ("best_value", "best_ci95", "started", "ended", "created", "rate", "seconds"):
    WRONG[number] = NOWHERE


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in WRONG.items() for v in values])
def test_no_value_beyond_what_it_can_be_is_imported(
    store: Store, exported: Path, name: str, value: object
) -> None:
    changed = json.dumps(facts_of(exported) | {name: value}).encode()
    before = len(store.runs())
    with pytest.raises(
        UserError, match=f"no valid {name}|is not JSON|no valid best|a field 'extra'"
    ):
        import_(store, rewritten(exported, run_json=changed))
    assert len(store.runs()) == before


def test_an_accuracy_beyond_one_is_refused(store: Store, exported: Path) -> None:
    values = RunConfig(
        algorithm=ALGORITHMS["protonet"].Config(),
        dataset=DATASETS["glyphs"].Config(),
        model=MODELS["conv4"](),
    ).to_dict()
    facts = facts_of(exported) | {"metric": "accuracy", "best_value": 97.3}
    parts = {"config_json": json.dumps(values).encode(), "run_json": json.dumps(facts).encode()}
    refused(store, rewritten(exported, **parts), "accuracies end at 1")


@pytest.mark.parametrize("name", ["config_json", "run_json"])
@pytest.mark.parametrize("opening", [b"[", b'{"x":', b'{"environment":{"a":'])
def test_what_is_nested_deeply_is_refused(
    store: Store, exported: Path, name: str, opening: bytes
) -> None:
    closing = b"]" if opening == b"[" else b"}" * opening.count(b"{")
    deep = opening * 900 + b"1" + closing * 900
    with pytest.raises(UserError):
        import_(store, rewritten(exported, **{name: deep}))


@pytest.mark.parametrize("name", ["", "two\nlines", "long" * 100])
def test_a_name_that_cannot_be_shown_is_refused(store: Store, exported: Path, name: str) -> None:
    with zipfile.ZipFile(exported) as archive:
        facts = json.loads(archive.read("run.json"))
    changed = json.dumps({**facts, "name": name}).encode()
    refused(store, rewritten(exported, run_json=changed), "no valid name")


def test_metrics_of_nonsense_are_refused(store: Store, exported: Path) -> None:
    rows = [b"1,1.0,train_loss,small", b"1,1.0", b"9" * 25 + b",1.0,train_loss,1"]
    rows += [b"-1,1,train_loss,1", b"1,nan,train_loss,1", b"1,1e300,train_loss,1", b"1,-1,a,1"]
    rows += [b"1,1,train_loss,nan", b"1,1,train_loss,inf", b"1,1,train_loss,1e308", b"1,1,=a,1"]
    rows += [b"1,1," + b"k" * 81 + b",1", b"1,1,a,\xff", b'1,1,"a\nb",1']
    for row in rows:
        metrics = b"step,seconds,key,value\n" + row
        refused(store, rewritten(exported, metrics_csv=metrics), "metrics.csv cannot be read")


def test_more_rows_than_a_run_has_are_refused(store: Store, exported: Path) -> None:
    many = b"step,seconds,key,value\n" + b"1,1,a,1\n" * (MOST_ROWS + 1)
    refused(store, rewritten(exported, metrics_csv=many), f"more than {MOST_ROWS} rows")
    refused(store, rewritten(exported, metrics_csv=b"x" * (LARGEST_CSV + 1)), "larger than it may")


def test_what_was_no_number_travels_as_an_empty_cell() -> None:
    metrics = [Metric(1, 0, 0.5, "val_mse", math.inf), Metric(2, 1, 0.5, "val_mse", math.nan)]
    written = metrics_csv(metrics)
    assert written.splitlines()[1:] == [b"0,0.5,val_mse,", b"1,0.5,val_mse,"]
    assert all(math.isnan(metric.value) for metric in read_metrics(written, ""))


def test_curves_too_long_for_an_export_are_thinned_and_keep_their_ends() -> None:
    metrics = [Metric(n, n, n, "a", n) for n in range(MOST_ROWS * 2)]
    found = read_metrics(metrics_csv([*metrics, Metric(0, 7, 7.0, "b", 7.0)]), "")
    assert len(found) <= MOST_ROWS
    assert (found[-2].step, found[-1].key) == (MOST_ROWS * 2 - 1, "b")


def test_weights_with_a_wrong_digest_are_refused(store: Store, exported: Path) -> None:
    with zipfile.ZipFile(exported) as archive:
        weights = bytearray(archive.read("best.safetensors"))
    weights[-1] ^= 1
    refused(store, rewritten(exported, best_safetensors=bytes(weights)), "not match its digest")


def test_pickled_weights_are_never_opened(store: Store, exported: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "opened"),)

    torch.save({"w": Evil()}, tmp_path / "weights.pt")
    weights = (tmp_path / "weights.pt").read_bytes()
    refused(store, rewritten(exported, best_safetensors=weights), "not a checkpoint")
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize("dtype", [torch.half, torch.bfloat16, torch.double, torch.int32])
def test_weights_of_another_precision_are_refused(
    store: Store, exported: Path, dtype: torch.dtype
) -> None:
    whole = checkpoint_of(exported)
    tensors = {name: value.to(dtype) for name, value in whole.tensors.items()}
    weights = files.to_bytes(Checkpoint(tensors, whole.info))
    refused(store, rewritten(exported, last_safetensors=weights), "no valid dtype")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("part", ["params/", "optimiser/"])
def test_weights_that_are_no_numbers_are_refused(
    store: Store, exported: Path, part: str, value: float
) -> None:
    whole = checkpoint_of(exported)
    name = next(name for name in whole.tensors if name.startswith(part))
    whole.tensors[name].view(-1)[0] = value
    weights = files.to_bytes(whole)
    refused(store, rewritten(exported, last_safetensors=weights), "not all finite")


@pytest.mark.parametrize("change", ["more", "fewer", "other"])
def test_memory_of_another_optimiser_is_refused(store: Store, exported: Path, change: str) -> None:
    whole = checkpoint_of(exported)
    tensors = dict(whole.tensors)
    slot = next(name for name in tensors if name.endswith("/exp_avg"))
    if change == "more":
        tensors[slot.replace("exp_avg", "extra")] = tensors[slot]
    elif change == "fewer":
        del tensors[slot]
    else:
        tensors = {name.replace("exp_avg", "sum"): value for name, value in tensors.items()}
    weights = files.to_bytes(Checkpoint(tensors, whole.info))
    refused(store, rewritten(exported, last_safetensors=weights), "does not belong to the network")


def test_weights_without_an_optimisers_memory_are_imported(store: Store, exported: Path) -> None:
    whole = checkpoint_of(exported)
    tensors = {n: v for n, v in whole.tensors.items() if n.startswith("params/")}
    weights = files.to_bytes(Checkpoint(tensors, whole.info))
    found = import_(store, rewritten(exported, last_safetensors=None, best_safetensors=weights))
    assert set(files.load(found.folder).tensors) == set(tensors)


@pytest.mark.parametrize("shape", [[10**9, 0], [10**15, 10**15], [-1], [1] * 9, "8"])
def test_a_header_that_promises_too_much_is_refused(
    store: Store, exported: Path, shape: object
) -> None:
    header = {"params/head.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}}
    text = json.dumps(header).encode()
    weights = len(text).to_bytes(8, "little") + text
    refused(store, rewritten(exported, last_safetensors=weights), "not a checkpoint of Metacore")


@pytest.mark.parametrize("change", ["shape", "name", "info", "optimiser"])
def test_weights_of_another_network_are_refused(store: Store, exported: Path, change: str) -> None:
    whole = checkpoint_of(exported)
    tensors, info = dict(whole.tensors), dict(whole.info)
    name = next(name for name in tensors if name.startswith("params/"))
    if change == "shape":
        tensors[name] = torch.zeros(3, 3)
    elif change == "name":
        tensors["params/other"] = tensors.pop(name)
    elif change == "info":
        info["iteration"] = "40"
    else:
        slot = next(name for name in tensors if name.endswith("/exp_avg"))
        tensors[slot] = torch.zeros(2, 2, 2)
    weights = files.to_bytes(Checkpoint(tensors, info))
    said = "does not belong to the network|no valid iteration"
    refused(store, rewritten(exported, last_safetensors=weights), said)


def test_a_run_from_a_device_that_is_not_here_goes_on_on_the_one_that_is(
    store: Store, exported: Path
) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    with zipfile.ZipFile(exported) as archive:
        values = json.loads(archive.read("config.json"))
        facts = json.loads(archive.read("run.json"))
    del facts["digest"]  # as older versions write it
    changed = {"config_json": {**values, "device": "cuda"}, "run_json": facts}
    parts = {name: json.dumps(part).encode() for name, part in changed.items()}
    assert import_(store, rewritten(exported, **parts)).config.device == "auto"


@pytest.mark.parametrize("part", ["config.json", "run.json"])
def test_a_flipped_digit_is_refused(store: Store, exported: Path, part: str) -> None:
    with zipfile.ZipFile(exported) as archive:
        values = json.loads(archive.read(part))
    if part == "run.json":
        values["best_value"] += 0.1
    else:
        values["task"]["shots"] += 1
    changed = {part.replace(".", "_"): json.dumps(values).encode()}
    refused(store, rewritten(exported, **changed), "do not match their digest")


def test_bytes_that_were_uploaded_are_imported_under_their_own_name(
    store: Store, exported: Path
) -> None:
    assert import_(store, io.BytesIO(exported.read_bytes()), "upload").name == "sine"
    with pytest.raises(UserError, match=r"^upload is not an exported run"):
        import_(store, io.BytesIO(b"hello"), "upload")


@pytest.mark.parametrize(
    "where", [16, 12], ids=["offset", "size"]
)  # of the directory, from its end
def test_a_directory_that_points_nowhere_is_refused(
    store: Store, exported: Path, where: int
) -> None:
    data = bytearray(exported.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    data[end + where : end + where + 4] = b"\xff\xff\xff\x7f"
    with pytest.raises(UserError, match="not an exported run, or is damaged"):
        import_(store, io.BytesIO(data), "upload")


def test_names_that_are_no_text_are_refused(store: Store, exported: Path) -> None:
    data = bytearray(exported.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 9] |= 0x08  # says that the name is UTF-8
    data[entry + 46] = 0xFF
    with pytest.raises(UserError, match="not an exported run, or is damaged"):
        import_(store, io.BytesIO(data), "upload")

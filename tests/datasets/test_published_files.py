"""CIFAR-FS, MNIST and Fashion-MNIST, from small files in their exact formats.

What is published of a dataset (sums, sizes, where) is one value of its class: here it is replaced
by that of files made for the test, so that every check is made, against other numbers.
"""

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from metacore.datasets import library, resumable
from metacore.datasets.base import SPLITS, ImageDataset
from metacore.datasets.cifar_fs import CifarFs, CifarFsConfig, everything, split_lists
from metacore.datasets.mnist import Fashion, FashionConfig, Mnist, MnistConfig
from metacore.errors import UserError
from metacore.models.networks import Conv4
from metacore.randomness import generator
from metacore.training.evaluate import evaluate
from metacore.training.presets import preset
from metacore.training.trainer import Trainer
from metacore.vision import torchvision
from tests.datasets.server import Files, serving
from tests.training.small import small

CPU = torch.device("cpu")


def noise(name: str, *shape: int) -> np.ndarray:
    return torch.randint(0, 256, shape, generator=generator(0, name)).byte().numpy()


# The files


def cifar_archive(train: bytes, test: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in {"train": train, "test": test, "fine_label_names": b"x"}.items():
            member = tarfile.TarInfo(f"cifar-100-binary/{name}.bin")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(file.getvalue(), mtime=0)  # the same bytes whenever it is made


def cifar_records(part: str, of_class: int) -> bytes:
    """`of_class` pictures of every class, in an order that is not that of the classes."""
    labels = np.arange(100 * of_class) * 7 % 100
    pictures = noise(part, len(labels), 3072)
    return np.column_stack([labels // 5, labels, pictures]).astype(np.uint8).tobytes()


def cifar_files() -> dict[str, bytes]:
    parts = cifar_records("train", 3), cifar_records("test", 2)
    return {"cifar-100-binary.tar.gz": cifar_archive(*parts)}


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


def mnist_files(seed: str = "mnist") -> dict[str, bytes]:
    """Sixty digits to train and twenty to test, of digit 0 one more."""
    files = {}
    for part, count in {"train": 60, "t10k": 21}.items():
        files[f"{part}-images-idx3-ubyte.gz"] = idx(noise(f"{seed} {part}", count, 28, 28))
        files[f"{part}-labels-idx1-ubyte.gz"] = idx((np.arange(count) % 10).astype(np.uint8))
    return files


MADE: dict[type[ImageDataset], Callable[[], dict[str, bytes]]] = {
    CifarFs: cifar_files,
    Mnist: mnist_files,
    Fashion: lambda: mnist_files("fashion"),
}
SIZES = {CifarFs: (5,) * 100, Mnist: (9, *[8] * 9), Fashion: (9, *[8] * 9)}


def sums(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.md5(content).hexdigest() for name, content in files.items()}


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made files are what is published."""
    for kind, make in MADE.items():
        made = replace(kind.published, sums=sums(make()), sizes=SIZES[kind])
        monkeypatch.setattr(kind, "published", made)


def laid(kind: type[ImageDataset], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in MADE[kind]().items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def server(published: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    monkeypatch.setattr(resumable, "PAUSE", 0.01)
    with serving() as files:
        for kind, make in MADE.items():
            made = make()
            files.content |= {f"{kind.name}/{name}": content for name, content in made.items()}
            there = replace(kind.published, address=f"{files.address}/{kind.name}/")
            monkeypatch.setattr(kind, "published", there)
        yield files


# What is known


def test_bertinettos_lists_are_a_partition_of_cifars_classes() -> None:
    lists = split_lists()
    assert [len(lists[split]) for split in SPLITS] == [64, 16, 20]
    names = everything()
    assert len(set(names)) == 100
    assert (names[0], names[39], names[70], names[99]) == ("apple", "keyboard", "rose", "worm")
    assert {"baby", "man", "woman"} <= set(lists["test"])
    assert {"boy", "girl"} <= set(lists["train"])


@pytest.mark.parametrize("kind", [Mnist, Fashion])
def test_sums_are_those_torchvision_knows(kind: type[Mnist]) -> None:
    known = {Mnist: "MNIST", Fashion: "FashionMNIST"}[kind]
    source = getattr(torchvision().datasets, known)
    assert dict(source.resources) == kind.published.sums
    assert kind.published.address in source.mirrors
    assert sum(kind.published.sizes) == 70_000


# How they get here


@pytest.mark.parametrize("kind", MADE)
def test_they_are_downloaded_through_a_cut(kind: type[ImageDataset], server: Files) -> None:
    server.cuts = [500]
    assert not kind.ready()
    where = library.get(kind.name)
    assert [path.name for path in where.iterdir()] == ["pictures.safetensors"]
    assert kind.ready()
    loaded = kind(kind.Config(), CPU)
    assert loaded.class_sizes("test").max() == max(SIZES[kind])


def test_what_has_arrived_is_not_fetched_again(server: Files) -> None:
    lost = server.content.pop("mnist/t10k-labels-idx1-ubyte.gz")
    with pytest.raises(UserError, match=r"cannot be had \(error 404\).*data add mnist FOLDER"):
        library.get("mnist")
    asked = len(server.asked)
    server.content["mnist/t10k-labels-idx1-ubyte.gz"] = lost
    library.get("mnist")
    assert len(server.asked) == asked + 1


def test_another_file_than_published_is_refused(server: Files) -> None:
    server.content["mnist/train-images-idx3-ubyte.gz"] = idx(noise("x", 60, 28, 28))
    with pytest.raises(UserError, match="is not what was published: try again"):
        library.get("mnist")
    assert not Mnist.ready()


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("deep", ["", "MNIST/raw"])
def test_they_are_taken_from_a_folder(
    kind: type[ImageDataset], deep: str, published: None, tmp_path: Path
) -> None:
    laid(kind, tmp_path / deep)
    library.add(kind.name, tmp_path)
    assert kind.ready()


def test_a_changed_file_is_refused(published: None, tmp_path: Path) -> None:
    laid(CifarFs, tmp_path)
    path = tmp_path / "cifar-100-binary.tar.gz"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(UserError, match="is not the file that was published: its MD5 is"):
        library.add("cifar-fs", tmp_path)


def test_a_missing_file_is_named(published: None, tmp_path: Path) -> None:
    (laid(Mnist, tmp_path) / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(UserError, match="has no t10k-images-idx3-ubyte"):
        library.add("mnist", tmp_path)
    with pytest.raises(UserError, match="is not a folder"):
        library.add("mnist", tmp_path / "nowhere")


@pytest.mark.parametrize("kind", MADE)
def test_without_them_both_commands_are_named(kind: type[ImageDataset]) -> None:
    with pytest.raises(UserError) as refusal:
        kind(kind.Config(), CPU)
    assert f"`metacore data get {kind.name}`" in str(refusal.value)
    assert f"`metacore data add {kind.name} FOLDER`" in str(refusal.value)


def test_a_damaged_file_is_noticed(published: None, tmp_path: Path) -> None:
    library.add("mnist", laid(Mnist, tmp_path))
    kept = Mnist.folder() / "pictures.safetensors"
    kept.write_bytes(kept.read_bytes()[:-1] + b"\1")
    with pytest.raises(UserError, match="is damaged"):
        Mnist(MnistConfig(), CPU)


def believed(
    kind: type[ImageDataset], files: dict[str, bytes], patch: pytest.MonkeyPatch, folder: Path
) -> None:
    """Adds these files as if they were what is published."""
    patch.setattr(kind, "published", replace(kind.published, sums=sums(files)))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    library.add(kind.name, folder)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not an archive", "cannot be unpacked"),
        (cifar_archive(b"x" * 100, b""), "train.bin has 100 bytes"),
        (cifar_archive(cifar_records("train", 1), b"")[:9999], "cannot be unpacked"),
        (pickle.dumps({b"data": 1}), "cannot be unpacked"),
        (cifar_archive(cifar_records("train", 1), cifar_records("x", 1)), "has 200 pictures"),
    ],
)
def test_no_archive_but_cifars_is_taken(
    content: bytes,
    sentence: str,
    published: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    with pytest.raises(UserError, match=sentence):
        believed(CifarFs, {"cifar-100-binary.tar.gz": content}, monkeypatch, tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"x", "cannot be unpacked"),
        (gzip.compress(b"\0\0"), "cannot be unpacked"),
        (idx(noise("x", 60, 28)), "no bytes with 3 dimensions"),
        (gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 2**31, 28, 28)), "no bytes with"),
        (gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 60, 28, 28) + b"x"), "60 entries"),
        (idx(noise("x", 59, 28, 28)), "as many labels"),
        (idx(noise("x", 60, 27, 27)), "not of 28 x 28 pixels"),
    ],
)
def test_no_file_but_mnists_is_taken(
    content: bytes,
    sentence: str,
    published: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    files = {**mnist_files(), "train-images-idx3-ubyte.gz": content}
    with pytest.raises(UserError, match=sentence):
        believed(Mnist, files, monkeypatch, tmp_path)


# What is in them


@pytest.fixture
def cifar(published: None, tmp_path: Path) -> CifarFs:
    library.add("cifar-fs", laid(CifarFs, tmp_path / "files"))
    return CifarFs(CifarFsConfig(), CPU)


@pytest.fixture
def mnist(published: None, tmp_path: Path) -> Mnist:
    library.add("mnist", laid(Mnist, tmp_path / "files"))
    return Mnist(MnistConfig(), CPU)


def test_photographs_are_in_the_class_of_their_fine_label(cifar: CifarFs) -> None:
    whale = everything().index("whale")
    records = np.frombuffer(cifar_records("train", 3) + cifar_records("test", 2), np.uint8)
    mine = records.reshape(-1, 3074)
    mine = mine[mine[:, 1] == whale][:, 2:].reshape(-1, 3, 32, 32)
    row = cifar.class_names("test").index("whale")
    assert np.array_equal(cifar.images["test"][row].numpy(), mine)
    assert cifar.class_sizes("train").tolist() == [5] * 64
    assert "pickup truck" in cifar.class_names("test")


def test_cifar_is_learned_from(cifar: CifarFs) -> None:
    config = small("protonet", "cifar-fs", iterations=2, train_queries=2, validate_every=1)
    trainer = Trainer(config.replace(task=replace(config.task, queries=2)))
    assert trainer.run() == "finished"
    assert np.isfinite(evaluate(trainer.learner, episodes=4).mean)


def test_digits_are_all_for_the_test(mnist: Mnist) -> None:
    assert [mnist.classes(split) for split in SPLITS] == [0, 0, 10]
    assert mnist.class_sizes("test").tolist() == list(SIZES[Mnist])
    for split in ("train", "val"):
        with pytest.raises(UserError, match=r"for the test.*evaluate RUN --dataset mnist"):
            mnist.sample(split, tasks=1, ways=5, shots=1, queries=1, generator=generator(0, ""))
    three = [
        noise(f"mnist {part}", count, 28, 28)[3::10]
        for part, count in (("train", 60), ("t10k", 21))
    ]
    row = mnist.class_names("test").index("three")
    assert np.array_equal(mnist.images["test"][row, :8, 0].numpy(), np.concatenate(three))


def test_what_learned_glyphs_is_asked_about_digits(mnist: Mnist) -> None:
    trainer = Trainer(small("protonet", "glyphs", iterations=1))
    trainer.run()
    found = evaluate(trainer.learner, dataset=mnist, episodes=3, queries=2)
    assert found.protocol.dataset == "mnist"


def test_training_on_whole_digits_is_a_sentence(mnist: Mnist) -> None:
    with pytest.raises(UserError, match="choose the split 6/2/2"):
        Trainer(small("protonet", "mnist", iterations=1)).run()


def test_clothes_can_be_split(published: None, tmp_path: Path) -> None:
    library.add("fashion", laid(Fashion, tmp_path))
    dataset = Fashion(FashionConfig(split="6/2/2"), CPU)
    assert [dataset.classes(split) for split in SPLITS] == [6, 2, 2]
    assert dataset.class_names("test") == ["bag", "ankle boot"]
    config = preset("protonet", "fashion", "demo", ways=2).replace(
        dataset=FashionConfig(split="6/2/2"), model=Conv4(width=8)
    )
    training = replace(config.training, iterations=1, train_ways=4, train_queries=2)
    task = replace(config.task, queries=2)
    assert Trainer(config.replace(training=training, task=task)).run() == "finished"

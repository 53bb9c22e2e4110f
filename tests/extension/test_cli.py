"""Every command knows what was registered, without a word about it anywhere else."""

from pathlib import Path

import pytest
from PIL import Image

import metacore as mc
from metacore.cli import main
from metacore.cli.reproduce import command_line
from tests.cli.conftest import Metacore
from tests.extension.conftest import brief, trained
from tests.extension.toys import FlagsConfig


def test_it_is_listed(metacore: Metacore) -> None:
    listed = {row["name"]: row for row in metacore("algorithms --json").json}
    assert listed["thermal"]["family"] == "calibrated"
    assert listed["thermal"]["settings"] == {"start": 1.0}
    assert "glance" in metacore("models").out
    rows = {row["name"]: row for row in metacore("datasets --json").json}
    assert rows["flags"]["settings"] == {"folder": "", "side": 20}
    assert "name a folder of pictures" in metacore("data list").out


def test_its_settings_are_flags(metacore: Metacore, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--algorithm", "thermal", "--dataset", "flags", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for flag in ("--folder PATH", "--side N", "--start X", "--patch N"):
        assert flag in said


def test_a_life_on_the_command_line(metacore: Metacore, flags: FlagsConfig, tmp_path: Path) -> None:
    few = "--iterations 4 --validate-every 2 --validation-episodes 4 --tasks 2 --ways 3"
    for name in ("thermal", "maml"):
        line = (
            f"train --algorithm {name} --dataset flags --folder {flags.folder} {few} --device cpu"
        )
        said = metacore(f"{line} --train-queries 2 --queries 2 --name {name}")
        assert said.code == 0, said.err
    assert metacore("resume thermal --iterations 6 --json").json["iterations"] == 6
    assert metacore("evaluate thermal --episodes 4 --json").json["dataset"] == "flags"
    assert len(metacore("compare thermal maml --episodes 4 --json").json["pairs"]) == 1
    assert metacore("show thermal").code == 0
    assert f"--folder {flags.folder}" in command_line(mc.Store().get("thermal").config)
    file = tmp_path / "thermal.zip"
    assert metacore(f"export thermal {file}").code == 0
    assert metacore("delete thermal --yes").code == 0
    assert metacore(f"import {file}").code == 0
    assert "thermal" in metacore("runs").out
    assert metacore("cancel thermal").code in (0, 2)


def test_what_was_learned_is_not_asked_about_other_inputs(
    metacore: Metacore, thermal: mc.Run, flags: FlagsConfig
) -> None:
    said = metacore(f"evaluate {thermal.id} --dataset sinusoid --episodes 2")
    assert "(20 x 20 pixels in colour) and cannot be asked about Sine waves (curves)" in said.err
    small = trained(brief("maml", FlagsConfig(folder=flags.folder, side=10)), "small")
    said = metacore(f"compare {thermal.id} {small.id} --episodes 2")
    assert "Flags (10 x 10 pixels in colour)" in said.err
    assert "Flags (20 x 20 pixels in colour)" in said.err


def test_pictures_in_folders_are_answered(metacore: Metacore, thermal: mc.Run) -> None:
    folder = thermal.config.dataset.to_dict()["folder"]
    line = f"trial {thermal.id} --support {folder}/test --query {folder}/test"
    found = metacore(f"{line} --json")
    assert found.code == 0, found.err
    assert found.json["classes"] == [f"flag {number}" for number in range(8)]
    assert found.json["runs"][0]["labelled"] > 60


def test_runs_that_see_other_pictures_have_no_trial_together(
    metacore: Metacore, thermal: mc.Run, pretrained: Path
) -> None:
    folder = thermal.config.dataset.to_dict()["folder"]
    both = f"{thermal.id} protonet-glyphs --support {folder}/test --query {folder}/test"
    said = metacore(f"trial {both}")
    assert said.code == 2
    assert "Flags (20 x 20 pixels in colour)" in said.err
    assert "Glyphs (28 x 28 pixels in grey)" in said.err


def test_a_picture_that_is_none_is_a_sentence(
    metacore: Metacore, thermal: mc.Run, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (30, 30), "red").save(tmp_path / name / "1.png")
    (tmp_path / "b" / "1.png").write_bytes(b"no picture")
    said = metacore(f"trial {thermal.id} --support {tmp_path} --query {tmp_path}")
    assert (said.code, "b/1.png is not a PNG" in said.err) == (2, True)


def test_a_missing_folder_is_a_sentence(metacore: Metacore, flags: FlagsConfig) -> None:
    said = metacore("train --algorithm thermal --dataset flags --iterations 2")
    assert (said.code, said.err) == (2, "Name the folder the flags are in.\n")
    said = metacore(f"train --algorithm thermal --dataset flags --folder {flags.folder}/no")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert brief("thermal", flags).dataset == flags

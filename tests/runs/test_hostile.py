"""Archives made to exhaust whoever imports them are refused, and take neither memory nor time."""

import sys
from pathlib import Path

import pytest

from metacore.errors import UserError
from metacore.runs.record import MOST_ROWS
from metacore.runs.store import Store
from metacore.runs.transfer import export, import_
from tests.runs import hostile

MOST_MEGABYTES = 400
SMALL = 0.04  # of the attacks' full size: enough to be beyond every limit
WELCOME = ("most rows", "widest")  # as large as may be, and nothing wrong with them
SLOW = ("most zeros",)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Those of a run that comes with the program."""
    folder = tmp_path_factory.mktemp("exported")
    store = Store(folder / "runs")
    return hostile.parts_of(export(store, store.get("maml-sinusoid"), folder / "run.metacore"))


@pytest.mark.parametrize("name", [n for n in hostile.attacks({}) if n not in (*WELCOME, *SLOW)])
def test_an_attack_is_refused(
    store: Store, parts: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    file = tmp_path / "attack.metacore"
    hostile.attacks(parts, SMALL)[name](file)
    before = len(store.runs())
    with pytest.raises(UserError, match="attack"):
        import_(store, file)
    assert len(store.runs()) == before
    assert not [path for path in store.folder.iterdir() if path.is_dir()]


def test_as_many_rows_as_there_may_be_are_kept(
    store: Store, parts: dict[str, bytes], tmp_path: Path
) -> None:
    file = tmp_path / "rows.metacore"
    hostile.attacks(parts)["most rows"](file)
    assert len(store.metrics(import_(store, file))) == MOST_ROWS


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the most memory taken")
def test_the_largest_run_there_can_be_takes_bounded_memory(tmp_path: Path) -> None:
    file = tmp_path / "widest.metacore"
    hostile.widest(file)
    said, _, megabytes = hostile.measure(file, tmp_path)
    assert said == "imported"
    assert megabytes < MOST_MEGABYTES

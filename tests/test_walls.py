"""The walls between the rooms: who may import whom, and that the engine needs no face."""

import ast
import subprocess
import sys
from collections.abc import Container, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FACE = {"streamlit", "plotly"}
FLOORS = (
    {"errors", "settings", "home", "randomness", "statistics", "episode", "vision", "pictures"}
    | {"device", "capacity", "child", "atomic", "zips", "strict", "tables"}
    | {"archives", "decoding", "filenames"},
    {"models"},
    {"datasets"},
    {"algorithms"},
    {"training"},
    {"insight"},
    {"trial"},
    {"runs"},
    {"library"},
    {"answers"},
    {"cli"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
NEIGHBOURS = {  # on one floor, only these look into each other
    *{(a, b) for a in FLOORS[0] for b in FLOORS[0]},
}
SOURCES = sorted((ROOT / "metacore").rglob("*.py"))


def imports(file: Path) -> Iterator[tuple[str, ...]]:
    """Every import of a file, also those inside functions, as the parts of its dotted name."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            for alias in node.names:
                yield (*(node.module or "").split("."), alias.name)


def room(file: Path) -> str:
    return file.relative_to(ROOT / "metacore").parts[0].removesuffix(".py")


def test_the_engine_never_imports_its_face() -> None:
    guilty = [file for file in SOURCES for name in imports(file) if name[0] in FACE]
    assert not guilty


def test_no_imports_run_in_a_circle() -> None:
    """Also those inside functions, and those for types alone."""
    files = [*SOURCES, *(ROOT / "pages").rglob("*.py")]
    named = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in files}
    named = {name.removesuffix(".__init__"): file for name, file in named.items()}
    graph = {name: _modules(file, named) - {name} for name, file in named.items()}
    while free := [name for name, needed in graph.items() if not needed & graph.keys()]:
        for name in free:
            del graph[name]
    assert not graph, "these import each other, or what does"


def _modules(file: Path, known: Container[str]) -> set[str]:
    """The modules a file imports, or imports something from."""
    found = set()
    for name in imports(file):
        whole, parent = ".".join(name), ".".join(name[:-1])
        found.add(whole if whole in known else parent)
    return found


def test_the_engine_works_where_its_face_is_not_installed() -> None:
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({sorted(FACE)!r}))\n"
        "import metacore, metacore.cli, metacore.runs.worker\n"
        "sys.exit(metacore.cli.main(['algorithms', '--json']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert '"maml"' in done.stdout


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_room_imports_only_from_floors_below(file: Path) -> None:
    here = room(file)
    if here in ("__init__", "__main__"):
        return
    assert here in FLOOR, f"{here} is on no floor: give it one"
    for name in imports(file):
        if name[0] != "metacore" or len(name) < 2:
            continue
        there = name[1]
        allowed = there == here or FLOOR[there] < FLOOR[here] or (here, there) in NEIGHBOURS
        assert allowed, f"{file.relative_to(ROOT)} imports {'.'.join(name)}"


def test_only_runs_and_datasets_write_files() -> None:
    """Paths of the home are asked for only where runs, data, weights and features live."""
    askers = {room(file) for file in SOURCES for name in imports(file) if "home" in name}
    assert askers <= {"runs", "datasets", "models"}


def test_pages_hold_no_torch_mathematics() -> None:
    allowed = {"torch", "Tensor"}  # a type in an annotation
    for file in (ROOT / "pages").rglob("*.py"):
        for name in imports(file):
            if name[0] == "torch":
                assert set(name) <= allowed, f"{file.relative_to(ROOT)} imports {'.'.join(name)}"


def test_figures_know_nothing_of_streamlit() -> None:
    ui = ROOT / "pages" / "ui"
    for file in [*(ui / "figures").rglob("*.py"), ui / "palette.py", ui / "words.py"]:
        assert not any(name[0] == "streamlit" for name in imports(file)), file

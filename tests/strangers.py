"""A home in which everything a stranger may name is an attack: for tests of pages and of a browser.

Each attack holds the word `evil`, and whatever address it holds is of one host.
"""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from metacore import Run, Store, preset
from metacore.runs import ComparisonJob, Question, comparisons, export, import_, trials
from metacore.runs.bundled import PRETRAINED, BundledRuns
from metacore.runs.comparisons import Comparisons
from metacore.runs.database import update
from metacore.trial.document import to_json
from metacore.trial.task import Trial

HOST = "evil.example"
TRICKS = (  # as long as a class's name may be
    f"![evil](http://{HOST}/a.png)",
    f"[Free evil](http://{HOST})",
    f"http://{HOST} www.{HOST}",
    f"<img src=//{HOST}/x> &lt;evil",
    f"<a href='//{HOST}'>evil</a>",
    "**evil** ~~evil~~ `evil` $x$ _evil_",
    ":red[evil] :smile: :material/lock:",
    f"- evil | a@{HOST}",
    "# evil %{x} </style>",
)
LONG = (
    f"\n\n# evil\n\n{TRICKS[0]}\n\n|{TRICKS[1]}|\n|-|\n\n    evil\n\N{RIGHT-TO-LEFT OVERRIDE}live"
)
STROKES = (((100, 100), (900, 900)),)


def trained(store: Store) -> list[Run]:
    """Three on drawings and two on curves; two of an algorithm are called by their names."""
    shelf = Store(store.folder, bundled=[BundledRuns(PRETRAINED)])
    copied = ["maml-glyphs", "maml-glyphs", "protonet-glyphs", "maml-sinusoid", "maml-sinusoid"]
    made = []
    for number, source in enumerate(copied):
        packed = export(shelf, shelf.get(source), store.folder / "exported")
        run = import_(store, packed)
        packed.unlink()
        made.append(_said(store, store.rename(run, TRICKS[number])))
    return made


def ended(store: Store) -> list[Run]:
    """Runs that failed or were stopped, with a message each."""
    config = preset("maml", "sinusoid", "demo")
    statuses = zip(("failed", "interrupted", "cancelled"), TRICKS[5:], strict=False)
    return [_said(store, store.create(config, name), status=status) for status, name in statuses]


def waiting(store: Store) -> Run:
    return _said(store, store.create(preset("maml", "sinusoid", "demo"), f"waits {TRICKS[0]}"))


def _said(store: Store, run: Run, **columns: Any) -> Run:
    """With all that can be said of a run."""
    store.annotate(run, LONG)
    store.tag(run, [*TRICKS])
    with store.database.writing() as db:
        columns |= {"message": LONG, "device_name": TRICKS[0]}
        update(db, "runs", columns, "id = ?", run.id)
    return store.get(run.id)


def compared(store: Store, runs: list[Run]) -> ComparisonJob:
    """A finished comparison, and every chart of it has names."""
    dataset = runs[0].values["dataset"]
    asked = Question(runs=tuple(run.id for run in runs), dataset=dataset, episodes=2)
    comparison = comparisons.ask(store, asked)
    Comparisons(store).work(comparison)
    return comparisons.find(store, comparison.id)


def kept_trial() -> str:
    """The id of a trial whose classes are attacks."""
    classes = TRICKS[:5]
    support = tuple((STROKES,) for _ in classes)
    return trials.save(to_json(Trial(classes=classes, support=support, query=(STROKES,))))


def damaged_trial() -> str:
    """The id of one that is refused in a sentence that quotes it."""
    document = json.loads(to_json(Trial(classes=TRICKS[:2], support=((STROKES,), (STROKES,)))))
    text = json.dumps(document).replace(json.dumps(TRICKS[1]), json.dumps(TRICKS[0]))
    return trials.save(text.encode())


def archive() -> bytes:
    """Pictures in folders named like attacks."""
    y, x = np.mgrid[:120, :120] - 60
    picture = io.BytesIO()
    Image.fromarray(np.where(abs(np.hypot(x, y) - 40) < 3, 20, 240).astype(np.uint8)).save(
        picture, "PNG"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for number in (1, 2, 5):
            folder = TRICKS[number].replace("/", "∕")
            file.writestr(f"{folder}/1.png", picture.getvalue())
        file.writestr(f"{TRICKS[5]}.png", b"no picture")
    return packed.getvalue()


def parameters() -> list[str]:
    """Everything an address may say to any page, and more: whatever word their sources quote."""
    pages = Path(__file__).parents[1] / "pages"
    quoted = (re.findall(r'"([a-z_]{2,16})"', file.read_text()) for file in pages.rglob("*.py"))
    return sorted({word for words in quoted for word in words})

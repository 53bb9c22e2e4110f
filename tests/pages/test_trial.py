"""The Trial page: examples answered at once, uploads, and trials that are kept and opened again."""

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from metacore.runs import trials
from metacore.trial.document import from_json, to_json
from tests.pages.conftest import Visit, films, words

PAGE = "lab/trial.py"
RUNS = ["maml-glyphs", "protonet-glyphs"]

pytestmark = pytest.mark.usefixtures("pretrained")


def mounted(app: AppTest, name: str) -> list[dict[str, Any]]:
    found = [element.proto for element in app.get("bidi_component")]
    return [json.loads(p.json) for p in found if p.component_name == f"metacore_{name}"]


def cards(app: AppTest) -> list[dict[str, Any]]:
    return [card for data in mounted(app, "answers") for card in data["cards"]]


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [button for button in app.button if button.label == label]
    return sound(button.click().run())


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def test_an_empty_sheet_says_what_is_to_come(visit: Visit) -> None:
    app = sound(visit(PAGE))
    assert "an example of A, B, C, D and E" in words(app)
    assert not cards(app)
    (sheet,) = mounted(app, "sheet")
    assert (sheet["ways"], sheet["shots"], sheet["seen"]) == (5, 1, "")


def test_all_pretrained_runs_answer_the_example(visit: Visit) -> None:
    app = press(visit(PAGE), "Show me")
    found = cards(app)
    assert len(found) == 8
    for card in found:
        assert len(card["probabilities"]) == len(card["steps"]) == len(card["support_loss"])
        assert sum(card["probabilities"][-1]) == pytest.approx(1, abs=0.01)
    right = [card for card in found if np.argmax(card["probabilities"][-1]) == 2]
    assert len(right) >= 6, "the query is the third character, drawn anew"
    assert mounted(app, "sheet")[0]["seen"].startswith("data:image/png")


def test_the_prototypes_distances_agree_with_its_answer(visit: Visit) -> None:
    app = press(visit(PAGE, run=RUNS), "Show me")
    maml, protonet = cards(app)
    assert not maml["distances"]
    assert np.argmin(protonet["distances"]) == np.argmax(protonet["probabilities"][-1])


def test_ways_and_shots_come_from_the_address(visit: Visit) -> None:
    app = press(visit(PAGE, ways="3", shots="2", run=RUNS), "Show me")
    (sheet,) = mounted(app, "sheet")
    assert [len(row) for row in sheet["support"]] == [2, 2, 2]
    assert len(cards(app)[0]["probabilities"][-1]) == 3


def test_the_drawings_are_shown_in_every_space(visit: Visit) -> None:
    app = press(visit(PAGE), "Show me")
    (toggle,) = app.toggle
    app = sound(toggle.set_value(True).run())
    assert "Where they lie after adaptation" in words(app)
    assert len(app.get("plotly_chart")) == len(cards(app))


def test_the_film_has_a_panel_per_run_and_one_of_losses(visit: Visit) -> None:
    app = press(visit(PAGE, run=RUNS), "Show me")
    (toggle,) = app.toggle
    (film,) = films(sound(toggle.set_value(True).run()))
    assert [panel["title"] for panel in film["panels"]][1:] == [
        "Prototypical Networks",
        "Loss on the support set",
    ]
    lengths = {len(line["values"]) for panel in film["panels"] for line in panel["lines"]}
    assert lengths == {len(film["steps"])}


def test_a_trial_is_kept_only_when_asked_and_opens_from_its_link(visit: Visit) -> None:
    app = press(visit(PAGE, run=RUNS, ways="3"), "Show me")
    assert not trials.home.trials_folder().exists()
    app = press(app, "Save on this server")
    (code,) = app.code
    name = code.value.rpartition("=")[2]
    opened = sound(visit(PAGE, trial=name))
    assert cards(opened) == cards(app)
    (sheet,) = mounted(opened, "sheet")
    assert sheet["names"] == ["gate", "fork", "spiral"]
    assert to_json(from_json(trials.load(name))) == trials.load(name)


@pytest.mark.parametrize("name", ["0123456789abcdef", "../../etc/passwd", "x" * 5000])
def test_a_link_to_no_trial_is_a_sentence(visit: Visit, name: str) -> None:
    app = visit(PAGE, trial=name)
    assert not app.exception
    assert "no such trial" in app.error[0].value
    assert mounted(app, "sheet"), "the sheet is there all the same"


def test_a_damaged_trial_is_a_sentence(visit: Visit) -> None:
    app = visit(PAGE, trial=trials.save(b'{"half a": '))
    assert not app.exception
    assert len(app.error) == 1


def test_uploads_are_answered_and_refusals_named(visit: Visit) -> None:
    app = sound(visit(PAGE, way="Upload", run=RUNS))
    assert "at least two classes" in words(app)
    app = uploaded(app, ("bar.png", drawing(1)), ("no.png", b"words"))
    assert any("no.png" in warning.value for warning in app.warning)
    for card in cards(app):
        assert np.argmax(card["probabilities"][-1]) == 1


def uploaded(app: AppTest, *queries: tuple[str, bytes]) -> AppTest:
    """A ring and a bar to learn from, and these to recognise."""
    support, query = app.get("file_uploader")[-2:]
    support.set_value([("two.zip", archive(), "application/zip")])
    if queries:
        query.set_value([(name, data, "image/png") for name, data in queries])
    return sound(app.run())


def test_uploads_survive_a_reload(visit: Visit) -> None:
    app = uploaded(visit(PAGE, way="Upload", run=RUNS), ("bar.png", drawing(1)), ("no.png", b"-"))
    again = sound(visit(PAGE, **app.query_params))
    assert cards(again) == cards(app)
    assert [w.value for w in again.warning] == [w.value for w in app.warning]


def test_every_change_is_another_address_and_back_undoes_it(visit: Visit) -> None:
    empty = visit(PAGE, way="Upload", run=RUNS)
    full = uploaded(empty)
    before = dict(full.query_params)
    (button,) = [each for each in full.button if each.key == "upload forget ring"]
    less = sound(button.click().run())
    assert "**ring** · 1 picture" not in words(less)
    assert "**ring** · 1 picture" in words(visit(PAGE, **before))
    assert "**bar** · 1 picture" in words(visit(PAGE, **less.query_params))


def test_what_is_removed_is_gone_from_the_disk(visit: Visit) -> None:
    app = uploaded(visit(PAGE, way="Upload", run=RUNS), ("bar.png", drawing(1)))
    address = dict(app.query_params)
    assert [*trials.home.uploads_folder().iterdir()]
    app = press(app, "Remove it")
    assert "upload" not in app.query_params
    assert not [*trials.home.uploads_folder().iterdir()]
    gone = visit(PAGE, **address)
    assert "no longer on this computer" in gone.error[0].value
    again = uploaded(gone.run())
    assert "**ring** · 1 picture" in words(again)


def test_a_kept_trial_of_pictures_opens_and_can_be_added_to(visit: Visit) -> None:
    app = press(uploaded(visit(PAGE, way="Upload", run=RUNS)), "Save on this server")
    name = app.code[0].value.rpartition("=")[2]
    opened = sound(visit(PAGE, trial=name))
    assert "**ring** · 1 picture" in words(opened)
    more = uploaded(opened)
    assert "**ring** · 2 pictures" in words(more)
    assert "trial" not in more.query_params
    assert "**ring** · 1 picture" in words(visit(PAGE, trial=name)), "the kept one is as it was"


def test_sixty_classes_and_hostile_names_are_told_in_a_sentence(visit: Visit) -> None:
    names = ["![x](http://a.example)", "a\nb", "<b>", *(f"class {n}" for n in range(57))]
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name in names:
            file.writestr(f"{name}/1.png", drawing(0))
    app = visit(PAGE, way="Upload", run=RUNS)
    app.get("file_uploader")[-2].set_value([("many.zip", data.getvalue(), "application/zip")])
    app = sound(app.run())
    (said,) = [warning.value for warning in app.warning]
    assert "and 45 more classes are left out" in said
    assert "![x]" not in words(app)


def archive() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for number, name in enumerate(("ring", "bar")):
            file.writestr(f"{name}/1.png", drawing(number))
    return data.getvalue()


def drawing(number: int) -> bytes:
    """A ring or a bar, dark on light."""
    y, x = np.mgrid[:120, :120] - 60
    ring = abs(np.hypot(x, y) - 40) < 3
    ink = ring if number == 0 else (abs(x) < 3) & (abs(y) < 45)
    data = io.BytesIO()
    Image.fromarray(np.where(ink, 20, 240).astype(np.uint8)).save(data, "PNG")
    return data.getvalue()

"""Beat the machine: a contest begins, goes on after a reload, is told and scored; nothing breaks.

What a click in the puzzle does is here as its effect on the address; real clicks are in
tests/browser.
"""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

import metacore as mc
from metacore import answers
from metacore.datasets.omniglot import OmniglotConfig
from metacore.insight.contest import ROUNDS, Contest
from metacore.insight.contest_replies import Reply, write
from tests.pages.conftest import Visit, words
from tests.training.small import small

PAGE = "lab/trial.py"
WAY = {"way": "Beat the machine"}
LINK = {**WAY, "characters": "glyphs", "level": "five", "drawings": "1", "contest": "3"}
CONTEST = Contest(dataset="glyphs", level="five", seed=3)

pytestmark = pytest.mark.usefixtures("pretrained")


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def puzzle(app: AppTest) -> dict[str, Any]:
    mounted = [element.proto for element in app.get("bidi_component")]
    (found,) = [json.loads(p.json) for p in mounted if p.component_name == "metacore_puzzle"]
    return found


def lines(app: AppTest) -> list[str]:
    """What stands about each player."""
    (html,) = [e.proto.body for e in app.get("html") if 'class="lines"' in e.proto.body]
    return [
        unescape(re.sub(r"<[^>]+>", " ", line)) for line in html.split('<div role="listitem"')[1:]
    ]


def truths(contest: Contest = CONTEST) -> list[int]:
    return [contest.puzzle(number, torch.device("cpu")).truth for number in range(ROUNDS)]


def answered(choices: list[int]) -> str:
    return write([Reply(choice, 2.5) for choice in choices])


def test_it_begins_with_settings(visit: Visit) -> None:
    app = sound(visit(PAGE, **WAY))
    assert app.multiselect(key="Trial rivals").value == [
        *("maml-glyphs", "protonet-glyphs", "reader-glyphs")
    ]
    assert app.number_input(key="Trial contest").value == 1
    app.button(key="beat start").click().run()
    sound(app)
    assert "Round 1 of 10" in app.get("progress")[0].proto.text
    shown = puzzle(app)
    assert (shown["open"], shown["number"], len(shown["tiles"])) == (True, 0, 5)
    assert not any(tile["votes"] or tile["right"] for tile in shown["tiles"])
    assert app.query_params["answers"] == "-"
    assert app.query_params["contest"] == "1"


def test_a_link_names_the_settings(visit: Visit) -> None:
    link = {**LINK, "level": "twenty-alike", "drawings": "3", "rivals": "anil-glyphs"}
    app = sound(visit(PAGE, **link))
    assert app.number_input(key="Trial contest").value == 3
    app.button(key="beat start").click().run()
    shown = puzzle(sound(app))
    assert [len(tile["images"]) for tile in shown["tiles"]] == [3] * 20


def test_a_reload_goes_on_where_it_was(visit: Visit) -> None:
    app = sound(visit(PAGE, **LINK, answers=answered([0, 1, 2])))
    assert "Round 4 of 10" in app.get("progress")[0].proto.text
    assert puzzle(app)["number"] == 3
    assert puzzle(app)["open"]


@pytest.mark.parametrize("right", [True, False])
def test_a_round_is_told(visit: Visit, right: bool) -> None:
    truth = truths()[0]
    choice = truth if right else (truth + 1) % 5
    app = visit(PAGE, **LINK, answers=answered([choice]))
    app.session_state["beat revealed"] = (CONTEST, 0)
    app.run()
    sound(app)
    verdict = (app.success if right else app.warning)[0].value
    assert verdict.startswith("Right" if right else "Wrong")
    assert "2.5 s" in verdict
    you, *runs = lines(app)
    assert ("✓ right" if right else "✗ wrong") in re.sub(r"\s+", " ", you)
    assert len(runs) == 3
    for line in runs:
        assert re.search(
            r"[A-E], +[✓✗] +(right|wrong) .* % sure .* to adapt .*normalisation: ", line
        )
    assert "transductive" in lines(app)[1]
    shown = puzzle(app)
    assert not shown["open"]
    assert [tile["right"] for tile in shown["tiles"]] == [n == truth for n in range(5)]
    assert "you" in shown["tiles"][choice]["votes"]
    app.button(key="beat next").click().run()
    assert puzzle(sound(app))["number"] == 1


def test_the_score_is_of_the_same_queries(visit: Visit) -> None:
    choices = truths()
    choices[4] = (choices[4] + 1) % 5
    app = sound(visit(PAGE, **LINK, answers=answered(choices)))
    you, maml, protonet, _ = lines(app)
    assert "9 of 10: 90 % (60 to 98 %)" in you
    assert "✓✓✓✓✗✓✓✓✓✓" in re.sub(r"\s", "", you)
    assert "of all queries" in maml
    card = app.code[0].value
    assert card.startswith("Metacore · beat the machine · 5-way 1-shot\nGlyphs: five characters")
    assert re.search(r"You +✓✓✓✓✗✓✓✓✓✓  9/10  2.5 s\n", card)
    assert "contest=3" in card.splitlines()[-1]
    assert "answers" not in card
    right = int(re.search(r"(\d+) of 10", protonet)[1])  # type: ignore[index]
    said = app.subheader[0].value
    assert ("beat you" in said) if right > 9 else ("You beat" in said or "draw" in said)


def test_again_and_harder(visit: Visit) -> None:
    app = sound(visit(PAGE, **LINK, answers=answered([0] * ROUNDS)))
    app.button(key="beat again").click().run()
    assert app.query_params["contest"] == "4"
    assert puzzle(sound(app))["number"] == 0
    app = visit(PAGE, **LINK, answers=answered([0] * ROUNDS))
    app.button(key="beat harder").click().run()
    assert app.query_params["level"] == "ten"
    assert len(puzzle(sound(app))["tiles"]) == 10


def test_one_may_give_up(visit: Visit) -> None:
    app = visit(PAGE, **LINK, answers=answered([0]))
    app.button(key="beat give up").click().run()
    assert "answers" not in app.query_params
    assert app.number_input(key="Trial contest").value == 3


def test_a_click_counts_once_and_only_for_its_round() -> None:
    def script() -> None:
        import streamlit as st

        from metacore.insight.contest import Contest
        from pages.ui import state
        from pages.ui.trial import beat_round

        asked = Contest(dataset="glyphs", level="five", seed=3)
        beat_round.begin(asked)
        st.session_state[beat_round.SHOWN] = ((asked, 0), 100.0)
        beat_round.take(asked, 0, 7, 101.0)  # no such class
        beat_round.take(asked, 1, 2, 101.0)  # not its turn
        beat_round.take(asked, 0, 2, 103.5)
        beat_round.take(asked, 0, 3, 104.0)  # twice
        beat_round.take(asked, 1, 3, 104.0)  # not shown yet
        st.text(f"{state.first('answers')} {beat_round.revealed(asked)}")

    assert AppTest.from_function(script).run().text[0].value == "C35 0"


@pytest.mark.parametrize(
    "wrong",
    [
        {"contest": "x"},
        {"contest": "-1"},
        {"contest": "٣"},
        {"contest": "9" * 40},
        {"drawings": "2"},
        {"level": "<script>"},
        {"characters": "../etc"},
    ],
)
def test_a_contest_that_is_none_leads_to_the_settings(visit: Visit, wrong: dict[str, str]) -> None:
    app = sound(visit(PAGE, **{**LINK, **wrong}, answers="-"))
    assert app.button(key="beat start")


@pytest.mark.parametrize("answers", ["Z9", "A1" * 40, "<b>", "F1"])
def test_answers_nobody_gave_begin_it_anew(visit: Visit, answers: str) -> None:
    assert puzzle(sound(visit(PAGE, **LINK, answers=answers)))["number"] == 0


def test_unknown_rivals_are_the_usual_ones(visit: Visit) -> None:
    app = sound(visit(PAGE, **LINK, answers=answered([0] * ROUNDS), rivals=["gone", "maml-wave"]))
    assert len(lines(app)) == 4


def test_a_run_that_cannot_be_read_is_left_out(visit: Visit) -> None:
    run = mc.train(small("protonet", "glyphs", iterations=1, tasks=1), name="broken <i>*one*</i>")
    for weights in Path(run.folder).glob("*.safetensors"):
        weights.write_bytes(b"nothing")
    app = visit(PAGE, **LINK, answers=answered([0] * ROUNDS), rivals=[run.id, "maml-glyphs"])
    sound(app)
    assert "is left out" in app.warning[0].value
    assert len(lines(app)) == 2


@pytest.mark.usefixtures("omniglot_home")
def test_who_was_trained_on_the_characters_is_left_out(visit: Visit) -> None:
    config = small("protonet", "omniglot", iterations=1, tasks=1)
    run = mc.train(config.replace(dataset=OmniglotConfig(split="authors")), name="knows them")
    link = {**LINK, "characters": "omniglot", "level": "one"}
    app = sound(visit(PAGE, **link, answers="-", rivals=[run.id, "maml-glyphs"]))
    assert "knows them is left out: it was trained on the authors split" in app.warning[0].value


def test_without_omniglot_a_link_to_it_says_so(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    mc.datasets.forget()
    monkeypatch.setattr(answers, "_desk", answers.Here())  # one that knows no round yet
    app = visit(PAGE, **{**LINK, "characters": "omniglot", "level": "one"}, answers="-")
    assert not app.exception
    assert "metacore data get omniglot" in app.error[0].value
    app.button(key="beat leave").click().run()
    assert app.button(key="beat start")


def test_without_rivals_one_cannot_start(visit: Visit) -> None:
    app = visit(PAGE, **WAY)
    app.multiselect(key="Trial rivals").set_value([]).run()
    assert app.button(key="beat start").disabled
    assert "Pick at least one run" in words(sound(app))

"""Pages run as Streamlit runs them, without a browser."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

FRAME = Path(__file__).parents[2] / "pages" / "frame.py"
Visit = Callable[..., AppTest]


@pytest.fixture
def visit() -> Visit:
    """Opens a page as a link to it would: `visit("lab/train.py", run="abc")`."""

    def opened(page: str, **query: str | list[str]) -> AppTest:
        app = AppTest.from_file(str(FRAME), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.switch_page(page)
        return app.run()

    return opened


def words(app: AppTest) -> str:
    """All there is to read."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "error", "warning")
    texts = [str(element.value) for kind in kinds for element in getattr(app, kind)]
    return "\n".join(texts)


def films(app: AppTest) -> list[dict[str, Any]]:
    """What the players on a page were given."""
    mounted = [element.proto for element in app.get("bidi_component")]
    return [json.loads(p.json) for p in mounted if p.component_name == "metacore_player"]

"""The dashboard's server: `streamlit run app.py`, or `make app`.

Uncaught errors of any page become one sentence on screen, with the traceback in the log; the
queue of runs moves, and helpers compute what pages ask for, while the server is up. For a class,
see `metacore serve --class`.
"""

import asyncio
import importlib
import logging
import pkgutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware

from metacore import Store, UserError, answers
from metacore.capacity import one_thread
from metacore.runs import Queue
from pages import ui
from pages.ui import garbage, ready, say
from pages.ui.browser_key import BrowserKeys
from pages.ui.own_content import OwnContent


def warm_up() -> None:
    """Loads what pages import before the first visitor comes, and makes their answers fast.

    One thread, because a page's adaptation is small and waking more takes longer than it does,
    beside a training.
    """
    for module in pkgutil.walk_packages(ui.__path__, f"{ui.__name__}."):
        importlib.import_module(module.name)
    one_thread()
    garbage.set_aside()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    pool = answers.Pool()
    pool.start()  # helpers load while the server does
    warm_up()
    answers.use(pool)
    threading.Thread(target=ready.prepare, name="prepare", daemon=True).start()
    keeper = asyncio.create_task(garbage.keep_aside())
    try:
        async with queueing():
            yield
    finally:
        keeper.cancel()
        answers.use(answers.Here())
        pool.stop()


@asynccontextmanager
async def queueing() -> AsyncIterator[None]:
    try:
        queue = Queue(Store())
    except UserError as error:  # a damaged store, say: pages that need it will show the sentence
        logging.getLogger(__name__).error("%s", error)
        yield
        return
    queue.start()
    yield
    queue.stop()


def say_error(error: Exception) -> bool:
    """Shows what a person can act on; True tells Streamlit that no traceback is needed."""
    if isinstance(error, UserError):
        say.error(error, icon=":material/info:")
    else:
        logging.getLogger(__name__).error("A page failed.", exc_info=error)
        st.error(
            "This page has met an error of its own; the server's log says more. Reload the page"
            " to try again.",
            icon=":material/error:",
        )
    return True


app = st.App(
    "pages/frame.py",
    lifespan=lifespan,
    middleware=[Middleware(OwnContent), Middleware(BrowserKeys)],
    on_script_error=say_error,
)

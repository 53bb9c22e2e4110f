"""The dashboard's server: `streamlit run app.py`, or `make app`.

Uncaught errors of any page become one sentence on screen, with the traceback in the log; the
queue of runs moves while the server is up.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from metacore import Store, UserError
from metacore.device import one_thread
from metacore.runs import Queue

one_thread()  # a page's adaptation is small; waking more threads takes longer beside a training


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
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
        st.error(str(error), icon=":material/info:")
    else:
        logging.getLogger(__name__).error("A page failed.", exc_info=error)
        st.error(
            "This page has met an error of its own; the server's log says more. Reload the page"
            " to try again.",
            icon=":material/error:",
        )
    return True


app = st.App("pages/frame.py", lifespan=lifespan, on_script_error=say_error)

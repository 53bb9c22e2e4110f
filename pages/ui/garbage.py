"""Keeps Streamlit's garbage collection short.

Streamlit collects after every run of a script: 130 ms with the objects of torch and plotly in it,
nothing once what lives long is left out.
"""

import asyncio
import gc

SECONDS = 15.0


def set_aside() -> None:
    """Collects once for all, and leaves what still lives out of the next collections."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def keep_aside() -> None:
    """Sessions and answers gather while the server is up: without this, each script would pay."""
    while True:
        await asyncio.sleep(SECONDS)
        set_aside()

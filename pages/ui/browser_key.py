"""Gives every browser that visits a class a key of its own, in a cookie no script can read.

The server sets it with the first page, so reloads and new tabs bring it along and nothing of it
ever stands in a page. The teacher's link (`?teacher=KEY`) is answered here too: the visitor becomes
a teacher, and the key is gone from the address before anything is shown.
"""

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from metacore.runs.classroom import Classroom, classroom, digest

COOKIE = "metacore-visitor"
TEACHER = "teacher"
KEPT_SECONDS = 180 * 24 * 3600
_KEY = re.compile(r"[\w-]{43}")  # 32 random bytes
_REFUSED = """<!doctype html><meta charset="utf-8"><title>Metacore</title>
<meta name="viewport" content="width=device-width">
<body style="font: 1.1rem/1.5 sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem">
<p>This is not the key of this class: a new one is printed each time the class is started.</p>
<p><a href="/">Go on as a visitor</a></p>"""


class BrowserKeys:
    """Stands before the dashboard; does nothing where no class is held."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        room = classroom() if scope["type"] == "http" else None
        if room is None or not _page(Request(scope)):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        known = valid(request.cookies.get(COOKIE))
        key = known or secrets.token_urlsafe(32)

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start" and not known:
                MutableHeaders(scope=message).append("set-cookie", _cookie(key, scope))
            await send(message)

        answer: ASGIApp = self.app
        if TEACHER in request.query_params:
            answer = _enter(room, request, key)
        await answer(scope, receive, keep)


def valid(key: str | None) -> str:
    """The key, if it is one of ours; "" otherwise."""
    return key if key and _KEY.fullmatch(key) else ""


def owner(key: str) -> str:
    """What the runs of this browser are marked with."""
    return digest("browser", key) if key else ""


def _page(request: Request) -> bool:
    """Whether somebody opens a page, as opposed to what a page fetches."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def _enter(room: Classroom, request: Request, key: str) -> Response:
    hidden = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    if not room.fits(request.query_params[TEACHER]):
        return HTMLResponse(_REFUSED, 403, hidden)
    room.enter(owner(key))
    wanted = request.url.remove_query_params(TEACHER)
    path = "/" + wanted.path.lstrip("/\\")  # on this host: //elsewhere would lead there
    query = wanted.query
    return RedirectResponse(f"{path}?{query}" if query else path, 303, hidden)


def _cookie(key: str, scope: Scope) -> str:
    secure = "; Secure" if scope["scheme"] == "https" else ""
    return f"{COOKIE}={key}; Max-Age={KEPT_SECONDS}; Path=/; HttpOnly; SameSite=Lax{secure}"

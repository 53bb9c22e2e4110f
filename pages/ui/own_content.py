"""Tells every browser to load pictures, sounds, fonts and frames from this server alone.

What strangers name is escaped where it is shown (`words.plain`); should one place ever forget to,
the reader's browser still calls nobody.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "img-src 'self' data: blob:",  # drawings and downloaded charts are made in the page
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "frame-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)


class OwnContent:
    """Stands before the dashboard and adds the policy to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("content-security-policy", POLICY)
            await send(message)

        await self.app(scope, receive, with_policy)

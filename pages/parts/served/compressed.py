"""Streamlit's own scripts and styles, compressed on their way: it sends them as they are, 3 to 4 MB for a page, and leaves this to
a proxy."""

import gzip
import re

import pyarrow
from anyio.to_thread import run_sync
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN = re.compile(r"/static/(js|css)/[^/]+\.(js|css)$")  # their names hold a digest of what is in them
WAYS = {  # by the names that browsers give them, the better one first
    "br": lambda body: pyarrow.Codec("brotli", compression_level=8).compress(body, asbytes=True),
    "gzip": lambda body: gzip.compress(body, 6),
}


class Compressed:
    """Compresses each of those files once, for all who ask; the first waits for it, at levels that take a third of the best one's
    time for hardly more bytes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.kept: dict[tuple[str, str], tuple[Message, bytes]] = {}  # by path and way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = _way(scope)
        if way is None:
            await self.app(scope, receive, send)
            return
        told = self.kept.get((scope["path"], way))
        if told is None:
            start, body = await self._answer(scope, receive)
            if start["status"] == 200 and b"text/html" not in dict(start["headers"])[b"content-type"]:
                start, body = _with(start, way), await run_sync(WAYS[way], body)
                self.kept[scope["path"], way] = start, body
            told = start, body
        start, body = told
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """What the app says without this: its first message, and all of the body."""
        told: list[Message] = []

        async def keep(message: Message) -> None:
            told.append(message)

        await self.app(scope, receive, keep)
        return told[0], b"".join(message.get("body", b"") for message in told[1:])


def _way(scope: Scope) -> str | None:
    """How the answer may be compressed, if it is one of those files in whole."""
    if scope["type"] != "http" or scope["method"] != "GET" or not OWN.search(scope["path"]):
        return None
    asked = dict(scope["headers"])
    accepted = re.split(r"[,;\s]+", asked.get(b"accept-encoding", b"").decode("latin-1"))
    return None if b"range" in asked else next((way for way in WAYS if way in accepted), None)


def _with(start: Message, way: str) -> Message:
    added = [(b"content-encoding", way.encode()), (b"vary", b"Accept-Encoding")]
    return {**start, "headers": [*start["headers"], *added]}

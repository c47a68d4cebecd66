"""The charts' script, asked for with the page itself: a chart would ask for it only once all else is there."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Early:
    """Adds a header to pages of HTML, by which a browser gets a script ahead. script: its path. unless: how the addresses end of
    pages that draw no chart."""

    def __init__(self, app: ASGIApp, script: str, unless: tuple[str, ...] = ()) -> None:
        self.app, self.unless = app, unless
        self.link = (b"link", f"<{script}>; rel=preload; as=script".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and b"text/html" in dict(message["headers"]).get(b"content-type", b""):
                message = {**message, "headers": [*message["headers"], self.link]}
            await send(message)

        early = scope["type"] == "http" and not scope["path"].endswith(self.unless)
        await self.app(scope, receive, told if early else send)

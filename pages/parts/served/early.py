"""The charts' script, asked for with the page itself: a chart would ask for it only once all else is there."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Early:
    """Adds a header to every page of HTML, by which a browser gets a script ahead. script: its path."""

    def __init__(self, app: ASGIApp, script: str) -> None:
        self.app = app
        self.link = (b"link", f"<{script}>; rel=preload; as=script".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and b"text/html" in dict(message["headers"]).get(b"content-type", b""):
                message = {**message, "headers": [*message["headers"], self.link]}
            await send(message)

        await self.app(scope, receive, told if scope["type"] == "http" else send)

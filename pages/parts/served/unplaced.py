"""Where the app lies on its machine, which Streamlit tells every browser, left out of its messages."""

from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


class Unplaced:
    """Tells the name of the app's script without its folder. script: its path."""

    def __init__(self, app: ASGIApp, script: Path) -> None:
        self.app, self.script = app, script
        self.place = str(script).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            data = message.get("bytes")
            if message["type"] == "websocket.send" and data and self.place in data:
                said = ForwardMsg.FromString(data)
                if said.new_session.main_script_path == str(self.script):
                    said.new_session.main_script_path = self.script.name
                    message = {**message, "bytes": said.SerializeToString()}
            await send(message)

        await self.app(scope, receive, told if scope["type"] == "websocket" else send)

"""A page without a browser: what Streamlit's client says to a server, and hears, over its websocket."""

import asyncio
import json
import time
import urllib.request
import uuid
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import FileURLsRequest, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

HELD = 200  # messages that the server need not send again
BEFORE = "$$STREAMLIT_INTERNAL_KEY"  # and a component's id, in that of what it triggers


@dataclass(eq=False)
class Stream:
    """One session. dials: what each is told, by its key, with `id` and `fragment` of its component. choices: select boxes,
    uploaders and text boxes, by label. figures: cards, by the key of their row. errors: what went wrong, said on the page or by the
    server. texts: raw messages, until somebody empties it. runs: of the whole page that have ended. had: when the server had an
    upload, in seconds of time.perf_counter()."""

    socket: ClientConnection
    address: str
    cookie: str
    query: str = ""
    page: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    dials: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: dict[str, list[dict]] = field(default_factory=dict)
    choices: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    runs: int = 0
    running: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    widgets: dict[str, WidgetState] = field(default_factory=dict)
    session: str = ""
    had: float = 0.0
    urls: Any = None
    kept: OrderedDict[str, bytes] = field(default_factory=OrderedDict)
    timers: dict[str, asyncio.Task] = field(default_factory=dict)
    stills: dict[str, asyncio.Task] = field(default_factory=dict)
    listening: asyncio.Task | None = None

    @classmethod
    async def open(cls, address: str, page: str = "", query: str = "") -> "Stream":
        """address: host:port. page: its url path, "" for the first one. query: without ?."""
        cookie = await asyncio.to_thread(xsrf_of, address)
        socket = await connect(
            f"ws://{address}/_stcore/stream",
            subprotocols=["streamlit", cookie],
            additional_headers={"Cookie": f"_streamlit_xsrf={cookie}"},
            origin=f"http://{address}",
            max_size=None,
            ping_interval=None,
        )
        stream = cls(socket, address, cookie, query)
        stream.listening = asyncio.create_task(stream.listen())
        await stream.run(ClientState(page_name=page))
        return stream

    async def close(self) -> None:
        for task in (*self.timers.values(), *self.stills.values(), self.listening):
            task.cancel()
        await self.socket.close()

    async def run(self, state: ClientState, *triggered: WidgetState) -> None:
        """Asks for a run of the page, or of a fragment."""
        state.query_string = self.query
        if not state.page_name and not state.page_script_hash:
            state.page_script_hash = self.page
        state.widget_states.widgets.extend([*self.widgets.values(), *triggered])
        state.cached_message_hashes.extend(self.kept)
        await self.socket.send(BackMsg(rerun_script=state).SerializeToString())

    async def turn_to(self, page: str) -> None:
        """Another page of the app, by its url path."""
        self.page = self.pages[page]
        self.stop_timers()
        await self.run(ClientState())

    async def choose(self, label: str, text: str) -> None:
        """One of a select box's options."""
        box = self.choices[label]
        self.widgets[box.id] = WidgetState(id=box.id, string_value=next(each for each in box.options if text in each))
        await self.run(ClientState())

    async def write(self, label: str, text: str) -> None:
        """In a text box."""
        box = self.choices[label]
        self.widgets[box.id] = WidgetState(id=box.id, string_value=text)
        await self.run(ClientState())

    async def upload(self, label: str, name: str, content: bytes) -> None:
        box = self.choices[label]
        self.urls = None
        asked = FileURLsRequest(request_id=uuid.uuid4().hex, file_names=[name], session_id=self.session)
        await self.socket.send(BackMsg(file_urls_request=asked).SerializeToString())
        await self.until(lambda: self.urls is not None)
        urls = self.urls.file_urls[0]
        await asyncio.to_thread(put, f"http://{self.address}{urls.upload_url}", self.cookie, name, content)
        self.had = time.perf_counter()
        info = UploadedFileInfo(name=name, size=len(content), file_id=urls.file_id, file_urls=urls)
        state = WidgetState(id=box.id)
        state.file_uploader_state_value.uploaded_file_info.append(info)
        self.widgets[box.id] = state
        await self.run(ClientState())

    async def move(self, key: str, value: float) -> int:
        """Lets go of a dial there; the number of the move, which the page says again when it answers."""
        dial = self.dials[key]
        move = int(dial.get("move", 0)) + 1
        await self.trigger(dial["id"], dial["fragment"], "moved", {"value": value, "move": move})
        return move

    async def trigger(self, component: str, fragment: str, event: str, value: Any) -> None:
        told = json.dumps([{"event": event, "value": value}])
        state = WidgetState(id=f"{BEFORE}_{component}__events", json_trigger_value=told)
        await self.run(ClientState(fragment_id=fragment), state)

    async def until(self, true, seconds: float = 120) -> None:
        """Waits until something is so. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(lambda: self.listening.done() or true())
        if self.listening.done():
            raise ConnectionError("the server has hung up") from self.listening.exception()

    async def listen(self) -> None:
        with suppress(asyncio.CancelledError):
            async for data in self.socket:
                message = ForwardMsg.FromString(data)
                if message.ref_hash:
                    metadata, data = message.metadata, self.kept[message.ref_hash]
                    self.kept.move_to_end(message.ref_hash)
                    message = ForwardMsg.FromString(data)
                    message.metadata.CopyFrom(metadata)
                elif message.metadata.cacheable:
                    self.kept[message.hash] = data
                    while len(self.kept) > HELD:
                        self.kept.popitem(last=False)
                self.texts.append(data)
                self.hear(message)
                async with self.changed:
                    self.changed.notify_all()

    def hear(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session, self.page = message.new_session.initialize.session_id, message.new_session.page_script_hash
            self.running = True
            if not message.metadata.run.fragment_ids:
                self.stop_timers()
        elif kind == "script_finished":
            self.running = False
            self.runs += message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self.errors.append("the script did not compile")
        elif kind == "session_event" and message.session_event.WhichOneof("type") == "script_compilation_exception":
            self.errors.append(message.session_event.script_compilation_exception.message)
        elif kind == "navigation":
            self.pages = {each.url_pathname: each.page_script_hash for each in message.navigation.app_pages}
            self.page = message.navigation.page_script_hash
        elif kind == "file_urls_response":
            self.urls = message.file_urls_response
        elif kind == "auto_rerun":
            self.again(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for name in message.stop_auto_rerun.fragment_ids:
                if name in self.timers:
                    self.timers.pop(name).cancel()
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self.draw(message.delta.new_element, message.delta.fragment_id)

    def draw(self, element, fragment: str) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.errors.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert" and element.alert.format == element.alert.ERROR:
            self.errors.append(element.alert.body)
        elif kind in ("selectbox", "file_uploader", "text_input"):
            box = getattr(element, kind)
            self.choices[box.label] = box
        elif kind == "bidi_component":
            component = element.bidi_component
            told = json.loads(component.json or component.mixed.json or "null")
            name = component.component_name
            if name.endswith("flatland_dial"):
                self.dials[told["key"]] = {**told, "id": component.id, "fragment": fragment, "run": self.runs}
            elif name.endswith("flatland_figures"):
                self.figures[told["key"]] = told["cards"]
            elif name.endswith("flatland_still"):
                self.still(component.id, fragment, told["seconds"])

    def stop_timers(self) -> None:
        """What a page asked for that is run anew, or left."""
        for timer in (*self.timers.values(), *self.stills.values()):
            timer.cancel()
        self.timers, self.stills = {}, {}

    def again(self, fragment: str, seconds: float) -> None:
        """Runs a fragment every so many seconds, as a browser does while the page is not run anew."""

        async def tick() -> None:
            while True:
                await asyncio.sleep(seconds)
                await self.run(ClientState(fragment_id=fragment, is_auto_rerun=True))

        if fragment not in self.timers:
            self.timers[fragment] = asyncio.create_task(tick())

    def still(self, component: str, fragment: str, seconds: float) -> None:
        """Says once that the page was still for so many seconds, from when its run ends."""

        async def tell() -> None:
            while self.running:
                await asyncio.sleep(0.05)
            await asyncio.sleep(seconds)
            await self.trigger(component, fragment, "still", True)

        if component not in self.stills:
            self.stills[component] = asyncio.create_task(tell())


def xsrf_of(address: str) -> str:
    """The cookie without which nothing is taken."""
    with urllib.request.urlopen(f"http://{address}/_stcore/health", timeout=30) as answer:
        cookies = SimpleCookie("; ".join(answer.headers.get_all("Set-Cookie") or []))
    return cookies["_streamlit_xsrf"].value


def put(url: str, cookie: str, name: str, content: bytes) -> None:
    edge = uuid.uuid4().hex
    before = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'.encode()
    headers = {
        "Content-Type": f"multipart/form-data; boundary={edge}",
        "X-Xsrftoken": cookie,
        "Cookie": f"_streamlit_xsrf={cookie}",
    }
    body = before + content + f"\r\n--{edge}--\r\n".encode()
    urllib.request.urlopen(urllib.request.Request(url, body, headers, method="PUT"), timeout=60).close()

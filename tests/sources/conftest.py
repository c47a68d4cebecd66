"""Matrices to write and read back, and a hub on this machine that counts what it sends."""

import json
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def values():
    return np.random.default_rng(0).standard_normal((7, 4)).astype(np.float32)


@pytest.fixture
def write_safetensors():
    """Write tensors given as name: (dtype, shape, bytes), in order."""

    def write(path, tensors, metadata=None):
        header, at = ({"__metadata__": metadata} if metadata else {}), 0
        for name, (dtype, shape, data) in tensors.items():
            header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + len(data)]}
            at += len(data)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        body = b"".join(data for _, _, data in tensors.values())
        path.write_bytes(len(text).to_bytes(8, "little") + text + body)
        return path

    return write


@dataclass
class Hub:
    """Files by path and how the server treats a request for them."""

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    ranges: bool = True
    commit: str | None = COMMIT
    break_after: list[int] = field(default_factory=list)  # bytes of a body after which its connection is cut
    sent: int = 0
    url: str = ""

    @property
    def paths(self):
        return [path for path, _ in self.requests]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        hub = self.server.hub
        path = self.path.partition("?")[0]
        hub.requests.append((path, self.headers.get("Authorization")))
        if path in hub.refusals:
            status, code = hub.refusals[path]
            return self.answer(status, b"no", {"X-Error-Code": code})
        named = {"ETag": '"e1"'} | ({"X-Repo-Commit": hub.commit} if hub.commit else {})
        if path in hub.redirects:
            return self.answer(302, b"", named | {"Location": hub.redirects[path]})
        if path not in hub.files:
            return self.answer(404, b"none", {"X-Error-Code": "EntryNotFound"})
        data, asked = hub.files[path], self.headers.get("Range")
        if not asked or not hub.ranges:
            return self.answer(200, data, named)
        first, last = (int(part) for part in asked.removeprefix("bytes=").split("-"))
        part = data[first : last + 1]
        span = {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(data)}"}
        return self.answer(206, part, named | span)

    def answer(self, status, body, headers):
        hub = self.server.hub
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if hub.break_after and len(body) > hub.break_after[0]:
            body = body[: hub.break_after.pop(0)]
            self.close_connection = True
        hub.sent += len(body)  # before a client that has all of it goes on
        with suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def serving(hub):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.hub = hub
        server.daemon_threads = True
        hub.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A running hub, which is the endpoint; the cache is a new folder."""
    monkeypatch.setenv("FLATLAND_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", "secret-token")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    hub = Hub()
    with serving(hub):
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def no_hub(hub, monkeypatch):
    """Call it to make the endpoint an address where nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{held.getsockname()[1]}"
        yield lambda: monkeypatch.setenv("HF_ENDPOINT", address)


@pytest.fixture
def other_hub():
    hub = Hub()
    with serving(hub):
        yield hub

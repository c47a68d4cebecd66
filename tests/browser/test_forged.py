"""What a client that is no browser of ours can say: any host, any link, any value of any widget, over the websocket."""

import json
import re
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PLACES = [f"{place}/".encode() for place in (Path(__file__).parents[2], Path(tempfile.gettempdir()), sys.prefix, Path.home())]


class Client:
    """A session over a websocket that names any host. seen: every message so far; names: the ids of widgets by their keys."""

    def __init__(self, stack, url, host):
        port = urlsplit(url).port
        door = socket.create_connection(("127.0.0.1", port))
        self.wire = stack.enter_context(connect(f"ws://{host}:{port}/_stcore/stream", sock=door, max_size=None))
        self.seen, self.names, self.state = [], {}, BackMsg()

    def run(self, **address):
        """A run of the page with all that was said of widgets so far; what it drew."""
        if address:
            self.state.rerun_script.query_string = urlencode(address)
        self.wire.send(self.state.SerializeToString())
        drawn = []
        while True:
            data = self.wire.recv(timeout=60)
            self.seen.append(data)
            message = ForwardMsg.FromString(data)
            drawn.append(str(message.delta))
            for name, key in re.findall(r'id: "(\$\$ID-[0-9a-f]+-([^"]+))"', drawn[-1]):
                self.names[key] = name
            if message.WhichOneof("type") == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return "\n".join(drawn)

    def say(self, key, **value):
        """Sets a widget, drawn or not, to a value of any kind, and runs the page."""
        self.state.rerun_script.widget_states.widgets.add(id=self.names.get(key, key), **value)
        return self.run()


@pytest.fixture
def client(app):
    """`client(host)` is a session of somebody who asks for the app by that name."""
    with ExitStack() as stack:
        yield lambda host: Client(stack, app, host)


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    """The path of a matrix of 37 rows on the machine."""
    path = tmp_path_factory.mktemp("private") / "secret.npy"
    np.save(path, np.random.default_rng(0).standard_normal((37, 5)))
    return path


def test_a_path_in_a_link_is_read_for_this_machine_and_for_no_name_that_resolves_to_it(client, secret):
    assert "37 rows × 5 columns" in client("localhost").run(matrix=secret)
    other = client("evil.example")
    told = other.run(matrix=secret)
    assert "37 rows" not in told and "30,522 rows" in told and "on another machine" in told


def test_no_forged_widget_has_a_path_read_and_no_folder_is_ever_told(client, secret):
    other = client("evil.example")
    other.run(matrix="demo")
    for key, value in (
        ("matrix_kind", {"string_value": "File or model folder here"}),
        ("matrix_kind", {"string_value": "path"}),
        ("matrix_path", {"string_value": str(secret)}),
        ("source", {"string_value": str(secret)}),
        ("at home", {"bool_value": True}),
        ("weights_kind", {"string_value": "column"}),
        ("weights_column_path", {"string_value": str(secret)}),
    ):
        drawn = other.say(key, **value)
        assert "37 rows" not in drawn and "Traceback" not in drawn
    for data in other.seen:
        own = data.replace(str(secret).encode(), b"")  # what the client itself had said
        assert not [place for place in PLACES if place in own]


@pytest.mark.parametrize("value", [1e18, -1e18, float("inf"), float("nan")])
def test_values_out_of_range_leave_a_page_within_its_bounds(client, value):
    page = client("evil.example")
    page.run(matrix="toy")
    for key, forged in (
        ("j dial", {"json_value": json.dumps({"moved": {"move": 1, "value": value}})}),
        ("weights_kind", {"string_value": "By row order"}),
        ("weights_a", {"double_array_value": {"data": [value]}}),
        ("matrix_kind", {"string_value": "no such matrix"}),
        ("precision", {"string_array_value": {"data": ["no such bits"]}}),
    ):
        drawn = page.say(key, **forged)
        assert "rows × " in drawn and "exception {" not in drawn, key

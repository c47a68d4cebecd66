"""What the server gives beside Streamlit's own answers: the charts' script, and less to send."""

import gzip
from types import SimpleNamespace

import pyarrow
import pytest
from plotly.offline import get_plotlyjs_version
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests

from pages.parts.live_chart.library.library import PATH, TRACES, found_at, route, script
from pages.parts.served.compressed import Compressed
from pages.parts.served.early import Early
from pages.parts.served.heard import hear_first

SCRIPT = b"let flat = 1;" * 1000


def unpacked(answer):
    body = b"".join(answer.iter_raw())
    match answer.headers.get("content-encoding"):
        case "br":
            return pyarrow.input_stream(pyarrow.BufferReader(body), compression="brotli").read()
        case "gzip":
            return gzip.decompress(body)
    return body


def ask(client, path, accepts, **headers):
    with client.stream("GET", path, headers={"accept-encoding": accepts, **headers}) as answer:
        return answer, unpacked(answer)


@pytest.fixture
def client():
    asked = []

    async def own(request):
        asked.append(request.url.path)
        if request.path_params["name"] == "missing.js":
            return HTMLResponse("<p>the app</p>")  # as Streamlit answers where there is no such file
        return Response(SCRIPT, media_type="text/javascript", headers={"cache-control": "immutable"})

    paths = ["/static/js/{name}", "/sub/static/css/{name}", "/static/media/{name}"]
    app = Starlette(routes=[route("/sub/"), *(Route(path, own) for path in paths)], middleware=[Middleware(Compressed)])
    client = TestClient(app)
    client.asked = asked
    return client


@pytest.mark.parametrize(
    ("accepts", "way"), [("gzip, deflate, br, zstd", "br"), ("gzip;q=1.0, deflate", "gzip"), ("identity", None)]
)
def test_a_script_of_streamlit_comes_as_the_browser_reads_it(client, accepts, way):
    for path in ("/static/js/a.js", "/sub/static/css/a.css"):
        answer, body = ask(client, path, accepts)
        assert body == SCRIPT
        assert answer.headers.get("content-encoding") == way
        assert answer.headers["cache-control"] == "immutable"
        assert (int(answer.headers["content-length"]) < len(SCRIPT)) == bool(way)


def test_a_script_is_compressed_once(client):
    for _ in range(2):
        assert ask(client, "/static/js/a.js", "br")[1] == SCRIPT
    assert client.asked == ["/static/js/a.js"]


@pytest.mark.parametrize(
    ("path", "headers"), [("/static/media/a.woff2", {}), ("/static/js/a.js", {"range": "bytes=0-9"}), ("/static/js/missing.js", {})]
)
def test_fonts_parts_and_what_is_no_script_are_left_as_they_are(client, path, headers):
    for _ in range(2):
        assert "content-encoding" not in ask(client, path, "br", **headers)[0].headers
    assert len(client.asked) == 2


def test_the_charts_script_is_served_under_the_apps_own_path_and_kept_by_browsers(client):
    for accepts in ("br", "gzip"):
        answer, body = ask(client, f"/sub/{PATH}", accepts)
        assert body == script()
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]


def test_the_charts_script_is_of_the_version_that_the_figures_are_made_for():
    text = script().decode()
    assert text.startswith(f"/* plotly.js v{get_plotlyjs_version()},")
    assert all(f'name="{trace}"' in text or f'name:"{trace}"' in text for trace in TRACES)


def test_a_page_with_charts_has_a_browser_ask_for_their_script_at_once_and_nothing_else_does():
    pages = [Route(path, lambda request: HTMLResponse("<p>the app</p>")) for path in ("/page", "/export")]
    served = [Middleware(Early, script=found_at("/sub/"), unless=("/export",))]
    client = TestClient(Starlette(routes=[*pages, route("/sub/")], middleware=served))
    assert client.get("/page").headers["link"] == f"</sub/{PATH}>; rel=preload; as=script"
    assert "link" not in client.get("/export").headers
    assert "link" not in client.get(f"/sub/{PATH}").headers


def test_a_part_of_a_page_runs_again_only_when_what_the_last_run_said_is_heard(monkeypatch):
    asked, later = [], []
    monkeypatch.setattr(AppSession, "request_rerun", lambda session, state: asked.append(state))
    hear_first()
    loop = SimpleNamespace(call_soon=lambda call, *given: later.append((call, given)))
    session = SimpleNamespace(_scriptrunner=SimpleNamespace(_requests=ScriptRequests()), _event_loop=loop)
    part, whole = ClientState(fragment_id="map"), ClientState()
    AppSession.request_rerun(session, part)
    assert asked == [part] and not later  # a run goes on, and does that next
    session._scriptrunner._requests.on_scriptrunner_ready()
    AppSession.request_rerun(session, part)
    AppSession.request_rerun(session, whole)
    assert asked == [part, whole]
    (call, given), session._scriptrunner = later[0], None
    call(*given)
    assert asked == [part, whole, part]

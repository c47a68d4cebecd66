"""Plotly's script, which the app serves itself. It lies here compressed, with the kinds of traces that figures have: 1.1 MB rather
than 4.8, of which a browser gets 0.3. `build.py` makes it."""

from hashlib import blake2b
from pathlib import Path

import pyarrow
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PACKED = Path(__file__).with_name("plotly.js.br").read_bytes()
PATH = f"charts/plotly-{blake2b(PACKED, digest_size=6).hexdigest()}.js"  # names its content, so that a browser keeps it for good
TRACES = {"scatter", "bar", "heatmap", "image", "contour"}  # that it draws
HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


def script() -> bytes:
    return pyarrow.input_stream(pyarrow.BufferReader(PACKED), compression="brotli").read()


async def answer(request: Request) -> Response:
    """The script, compressed for a browser that reads brotli."""
    if "br" in request.headers.get("accept-encoding", ""):
        return Response(PACKED, headers={**HEADERS, "Content-Encoding": "br"}, media_type="text/javascript")
    return Response(script(), headers=HEADERS, media_type="text/javascript")


def found_at(base: str) -> str:
    """PATH under the app's own path."""
    return "/" + "/".join(filter(None, (base.strip("/"), PATH)))


def route(base: str) -> Route:
    return Route(found_at(base), answer)

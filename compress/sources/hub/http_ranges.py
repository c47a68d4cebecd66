"""Files of a web server, whole where they are small and by byte ranges where they are not.

Not by huggingface_hub's own readers: those follow a redirect from https to http, and ask for a range anew where it broke off.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from compress.errors import InputError
from compress.files import bytes_text

TIMEOUT = 10.0  # seconds without a byte
MAX_HOPS = 6
ATTEMPTS = 3
WHOLE_LIMIT = 8 << 20  # bytes of a file that is taken whole where the server knows no ranges
REDIRECTS = (301, 302, 303, 307, 308)


class Unreachable(InputError):
    """The server gave no usable answer; what is in the cache may still serve."""


@dataclass(frozen=True)
class Answer:
    """One answer: its status, the headers of every hop (the first one to name a header wins), and the body's parts."""

    status: int
    facts: dict[str, str]
    response: Any

    @property
    def error_code(self) -> str:
        return self.facts.get("x-error-code", "")

    def at_most(self, limit: int) -> bytes:
        body = bytearray()
        for part in self.response.iter_bytes():
            body += part
            if len(body) > limit:
                raise InputError(f"{self.response.url.path} is larger than {bytes_text(limit)}; download the model instead.")
        return bytes(body)


@dataclass(frozen=True)
class Server:
    """A server, and the token that is shown to it and to no other."""

    endpoint: str
    token: str | None = field(default=None, repr=False)

    @contextmanager
    def get(self, path: str, start: int | None = None, stop: int | None = None) -> Iterator[Answer]:
        """The answer to a request for a file, or for its bytes start to stop. Raises Unreachable where none comes."""
        from huggingface_hub.utils import get_session

        url = f"{self.endpoint}/{path}"
        facts: dict[str, str] = {}
        try:
            for _ in range(MAX_HOPS):
                headers = {"Accept-Encoding": "identity"}
                if start is not None and stop is not None:
                    headers["Range"] = f"bytes={start}-{stop - 1}"
                if self.token and origin(url) == origin(self.endpoint):
                    headers["Authorization"] = f"Bearer {self.token}"
                with get_session().stream("GET", url, headers=headers, follow_redirects=False, timeout=TIMEOUT) as response:
                    last = {name.lower(): value for name, value in response.headers.items()}
                    facts = last | facts
                    if response.status_code in REDIRECTS and "location" in response.headers:
                        url = checked_hop(url, response.headers["location"])
                        continue
                    if response.status_code == 429 or response.status_code >= 500:
                        raise Unreachable(f"{self.endpoint} answers {response.status_code}; try again later.")
                    own = {name: last.get(name, "") for name in ("content-range", "content-length")}
                    yield Answer(response.status_code, facts | own, response)
                    return
        except InputError:
            raise
        except Exception as error:
            if not (isinstance(error, OSError | ValueError) or is_transport(error)):
                raise
            raise Unreachable(f"{self.endpoint} cannot be reached ({error}); check the network and HF_ENDPOINT.") from error
        raise InputError(f"{self.endpoint} redirects in a circle; try again later.")

    def whole(self, path: str, limit: int) -> tuple[bytes | None, Answer]:
        """A small file, None where the server has none, and the answer it came with."""
        with self.get(path) as answer:
            return (answer.at_most(limit) if answer.status == 200 else None), answer

    def ranged(self, path: str, start: int, stop: int) -> tuple[bytes, int, Answer]:
        """Bytes start to stop of a file, fewer where it ends before, and the file's size."""
        with self.get(path, start, stop) as answer:
            if answer.status == 200:
                body = answer.at_most(self.whole_size(answer, path))
                return body[start:stop], len(body), answer
            if answer.status != 206:
                return b"", 0, answer
            file_size = checked_range(answer, start, stop, path)
            return answer.at_most(stop - start), file_size, answer

    def parts(self, path: str, start: int, stop: int) -> Iterator[bytes]:
        """Bytes start to stop in parts; a connection that breaks is taken up again where it broke."""
        at, failures = start, 0
        while at < stop:
            before = at
            try:
                with self.get(path, at, stop) as answer:
                    if answer.status == 200:
                        yield answer.at_most(self.whole_size(answer, path))[at:stop]
                        return
                    if answer.status != 206:
                        raise InputError(f"{self.endpoint} refuses to send {path} ({answer.status}); try again later.")
                    checked_range(answer, at, stop, path)
                    for part in answer.response.iter_bytes():
                        part = part[: stop - at]
                        at += len(part)
                        yield part
            except Unreachable:
                pass
            failures = 0 if at > before else failures + 1
            if failures == ATTEMPTS:
                done, wanted = bytes_text(at - start), bytes_text(stop - start)
                raise Unreachable(f"The connection broke after {done} of {wanted} of {path}; try again.")

    def whole_size(self, answer: Answer, path: str) -> int:
        """The size of a file that comes whole where a part was asked for; refused where it is large or untold."""
        told = answer.facts.get("content-length", "")
        if not told.isdigit() or int(told) > WHOLE_LIMIT:
            raise InputError(
                f"{self.endpoint} does not send parts of files, and {path} is too large to take whole; "
                "download the model and give its folder."
            )
        return int(told)


def checked_range(answer: Answer, start: int, stop: int, path: str) -> int:
    """The file's size, from an answer that gives the range asked for."""
    try:
        unit, _, rest = answer.facts.get("content-range", "").partition(" ")
        span, _, total = rest.partition("/")
        first, last = (int(part) for part in span.split("-"))
        if unit == "bytes" and first == start and last < stop:
            return int(total)
    except ValueError:
        pass
    raise InputError(f"The server sent other bytes of {path} than were asked for; try again, or download the model.")


def checked_hop(url: str, location: str) -> str:
    """Where a redirect leads; not to another scheme than the web's, nor from https to http."""
    hop = urljoin(url, location)
    if urlsplit(hop).scheme not in ("https", urlsplit(url).scheme):
        raise InputError(f"{urlsplit(url).hostname} redirects to an unsafe address; download the model instead.")
    return hop


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def is_transport(error: Exception) -> bool:
    """Whether an error is the web client's own: which client that is, the installed huggingface_hub chooses."""
    return type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2", "huggingface_hub")

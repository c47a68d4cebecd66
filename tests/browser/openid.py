"""A provider of logins on loopback that lets everybody in: what OpenID Connect asks of one, and no more."""

import json
import secrets
import threading
import time
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode

CLIENT, SECRET = "flatland", "the client's own secret"


@dataclass
class Provider:
    """person: the claims of whoever logs in. codes: what was asked for by each code that is still to be redeemed."""

    person: dict
    url: str = ""
    codes: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def __post_init__(self):
        from joserfc.jwk import RSAKey

        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})

    def discovery(self) -> dict:
        places = {f"{name}_endpoint": f"{self.url}/{name}" for name in ("authorization", "token", "end_session")}
        how = {"response_types_supported": ["code"], "id_token_signing_alg_values_supported": ["RS256"]}
        return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", "code_challenge_methods_supported": ["S256"]} | places | how

    def id_token(self, nonce: str) -> str:
        from joserfc import jwt

        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 600, "nonce": nonce} | self.person
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        provider = self.server.provider
        place, _, query = self.path.partition("?")
        said = {name: texts[0] for name, texts in parse_qs(query).items()}
        provider.asked.append(place)
        if place == "/authorization":
            code = secrets.token_hex(8)
            provider.codes[code] = said
            return self.redirect(f"{said['redirect_uri']}?{urlencode({'code': code, 'state': said['state']})}")
        if place == "/end_session":
            return self.redirect(said["post_logout_redirect_uri"])
        answers = {
            "/.well-known/openid-configuration": provider.discovery(),
            "/jwks": {"keys": [provider.key.as_dict(private=False)]},
        }
        self.answer(200 if place in answers else 404, answers.get(place, {}))

    def do_POST(self):
        provider = self.server.provider
        said = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        provider.asked.append(self.path)
        asked = provider.codes.pop(said["code"][0], None)
        shown = b64decode(self.headers.get("Authorization", "Basic ").removeprefix("Basic ")).decode().partition(":")
        if asked is None or not said.get("code_verifier") or shown[0] != CLIENT:
            return self.answer(400, {"error": "invalid_grant"})
        token = {"access_token": secrets.token_hex(8), "token_type": "Bearer", "expires_in": 600}
        self.answer(200, token | {"id_token": provider.id_token(asked["nonce"])})

    def redirect(self, url):
        self.send_response(302)
        self.send_header("Location", url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextmanager
def letting_in(person: dict):
    """A provider that runs, and ends with the block."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.provider, server.daemon_threads = Provider(person), True
        server.provider.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.provider
        finally:
            server.shutdown()
            thread.join()


def secrets_toml(provider: Provider, app: str) -> str:
    """What the app's secrets say of a provider. app: the address that people open."""
    said = {
        "redirect_uri": f"{app}/oauth2callback",
        "cookie_secret": secrets.token_hex(32),
        "client_id": CLIENT,
        "client_secret": SECRET,
        "server_metadata_url": f"{provider.url}/.well-known/openid-configuration",
    }
    return "\n".join(["[auth]", *(f'{name} = "{text}"' for name, text in said.items())])

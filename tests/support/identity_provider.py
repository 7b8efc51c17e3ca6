"""Somebody to sign in with: an OpenID Connect provider on 127.0.0.1, where whoever comes picks a name."""

from __future__ import annotations

import json
import threading
import time
from functools import partial
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "llm-inference-tracker"


class IdentityProvider:
    """Lets people in while the context is open."""

    def __init__(self, *people: str) -> None:
        self.people = people
        self.key = RSAKey.generate_key(2048, parameters={"kid": "only", "use": "sig", "alg": "RS256"})
        self.granted: dict[str, dict[str, str]] = {}
        """By code: who came, and the nonce that the app sent along."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> IdentityProvider:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def secrets(self, app_url: str) -> str:
        """The app's secrets.toml."""
        return f"""
[auth]
redirect_uri = "{app_url}/oauth2callback"
cookie_secret = "only for this test"
client_id = "{CLIENT_ID}"
client_secret = "of this test too"
server_metadata_url = "{self.url}/.well-known/openid-configuration"
"""

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def sign_in_page(self, asked: dict[str, str]) -> str:
        """One link a person; it leads back to the app with a code."""
        links = []
        for person in self.people:
            code = f"{person}-{len(self.granted)}"
            self.granted[code] = {"sub": person, "nonce": asked.get("nonce", "")}
            back = f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
            links.append(f'<p><a href="{escape(back)}">{person}</a></p>')
        return "<h1>Who are you?</h1>" + "".join(links)

    def token(self, code: str) -> dict[str, Any]:
        """What the app gets for a code: the signed statement of who came."""
        who, now = self.granted.pop(code), int(time.time())
        claims = {**who, "iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 600, "name": who["sub"]}
        return {
            "access_token": "unused",
            "token_type": "Bearer",
            "expires_in": 600,
            "id_token": jwt.encode({"alg": "RS256", "kid": "only"}, claims, self.key),
        }


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, provider: IdentityProvider, *args: Any) -> None:
        self._provider = provider
        super().__init__(*args)

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        if at.path == "/authorize":
            self._send(self._provider.sign_in_page(_fields(at.query)), "text/html")
        elif at.path == "/jwks":
            self._send(json.dumps({"keys": [self._provider.key.as_dict(private=False)]}))
        else:
            self._send(json.dumps(self._provider.metadata()))

    def do_POST(self) -> None:
        asked = _fields(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._send(json.dumps(self._provider.token(asked["code"])))

    def _send(self, body: str, kind: str = "application/json") -> None:
        content = body.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """The tests' output is for their results."""


def _fields(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}

"""A small OpenID provider on this machine, which signs in whom a test names, and can misbehave."""

import base64
import hashlib
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "aegis", "the secret of the client"


class OidcProvider:
    """A provider at *issuer*; *claims* replace those of its tokens.

    Attributes:
        claims: Of the next tokens, in place of the right ones; None: left out.
        asked: The parameters of each visit, oldest first.
        key: Signs; another one than it publishes when a test says so.
    """

    def __init__(self):
        self.key = self.published_key = ECKey.generate_key("P-256", {"kid": "k1"})
        self.claims, self.asked, self._codes = {}, [], {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"

    def metadata(self):
        places = {"authorization": "authorize", "token": "token"}
        endpoints = {f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in places.items()}
        return {"issuer": self.issuer, **endpoints, "jwks_uri": f"{self.issuer}/keys"}

    def authorize(self, query):
        """Sign somebody in; return the address to which their browser is sent back."""
        self.asked.append(query)
        code = f"code-{len(self.asked)}"
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'state': query['state'], 'code': code})}"

    def exchange(self, form, credentials):
        """Return a token for a code, once, if client, code and verifier are right; else None."""
        query = self._codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if query is None or credentials != f"{CLIENT}:{SECRET}":
            return None
        if challenge != query["code_challenge"] or form["redirect_uri"] != query["redirect_uri"]:
            return None
        now_s = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "s-1", "nonce": query["nonce"],
            "iat": now_s, "exp": now_s + 300, "auth_time": now_s,
            "email": "ann@example.org", "email_verified": True,
        }  # fmt: skip
        claims = {k: v for k, v in (claims | self.claims).items() if v is not None}
        token = jwt.encode({"alg": "ES256", "kid": "k1"}, claims, self.key)
        return {"access_token": "a", "token_type": "Bearer", "id_token": token}


@contextmanager
def running_provider():
    """A provider that answers while the block runs."""
    provider = OidcProvider()
    thread = threading.Thread(target=provider.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield provider
    finally:
        provider.server.shutdown()
        provider.server.server_close()
        thread.join()


def _make_handler(provider):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            if address.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            elif address.path == "/keys":
                self._answer({"keys": [provider.published_key.as_dict(private=False)]})
            else:
                self._answer(provider.metadata())

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            basic = self.headers.get("Authorization", "").removeprefix("Basic ")
            answer = provider.exchange(form, base64.b64decode(basic).decode())
            self._answer(answer or {"error": "invalid_grant"}, 200 if answer else 400)

        def _answer(self, content, status=200):
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    return Handler

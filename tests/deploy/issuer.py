"""An OpenID Connect issuer: one key, published, and tokens signed with it."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "pinwright-tests"


class Issuer:
    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        published = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        keys = {"keys": [{**published, "kid": "1", "alg": "RS256", "use": "sig"}]}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler):
                pages = {
                    "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
                    "/keys": keys,
                }
                page = pages.get(handler.path)
                handler.send_response(200 if page else 404)
                handler.end_headers()
                handler.wfile.write(json.dumps(page).encode())

            def log_message(handler, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, sub, key=None, **claims):
        now = int(time.time())
        # Tokens are good from a minute ago: the emulator compares whole seconds.
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": sub, "iat": now - 60, "exp": now + 3600}
        return jwt.encode({**usual, **claims}, key or self.key, algorithm="RS256", headers={"kid": "1"})

    def close(self):
        self.server.shutdown()

"""A token of the simulated Pinterest, and its official description as schemathesis can use it."""

import json
import os
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

API, PINTEREST = os.environ["API"], os.environ["PINTEREST"]
CALLBACK = f"{API}/api/v1/auth/pinterest/callback"
SCOPES = [f"{resource}:{access}" for resource in ("boards", "pins") for access in ("read", "read_secret", "write", "write_secret")]


def without_times(value):
    """The real Pinterest writes times without a zone, which is no `date-time`."""
    if isinstance(value, dict):
        return {name: without_times(part) for name, part in value.items() if (name, part) != ("format", "date-time")}
    return [without_times(part) for part in value] if isinstance(value, list) else value


description_file = Path(__file__).parents[2] / "local/pinterest/contract/openapi.json"
Path("generated/pinterest.json").write_text(json.dumps(without_times(json.loads(description_file.read_text()))))

# It is asked for more in a minute than the limits allow.
httpx.post(f"{PINTEREST}/sim/policy", json={"documented_limits": False}).raise_for_status()
scope = ",".join([*SCOPES, "user_accounts:read"])
query = urlencode({"client_id": "1234567", "redirect_uri": CALLBACK, "response_type": "code", "scope": scope})
redirect = httpx.post(f"{PINTEREST}/oauth/?{query}", data={"decision": "allow"}).headers["location"]
code = parse_qs(urlsplit(redirect).query)["code"][0]
form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
answer = httpx.post(f"{PINTEREST}/v5/oauth/token", data=form, auth=("1234567", "simulated-app-secret"))
print(answer.raise_for_status().json()["access_token"])

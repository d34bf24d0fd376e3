"""`cargo lambda watch`: the real binaries on the local stack's DynamoDB, each invoked with its file in events/."""

import base64
import gzip
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import urllib3
from conftest import connect
from emulator import free_port, http, wait_for
from stack import ROOT, Caller

# Who calls in the files of events/.
PERSON = "9324e8b2-f0a1-70f8-5c3e-0d6a4b7c1e2f"


class Watch:
    def __init__(self, local, folder):
        self.port, self.log = free_port(), open(folder / "watch.log", "w+")
        command = ["cargo", "lambda", "watch", "--ignore-changes", "--env-file", str(local.env_file)]
        self.process = subprocess.Popen(
            [*command, "--invoke-port", str(self.port)],
            cwd=ROOT,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        wait_for("cargo lambda watch", 60, self.listens)

    def listens(self):
        assert self.process.poll() is None, f"it ended: see {self.log.name}"
        try:
            return http.request("GET", f"http://localhost:{self.port}/nowhere").status
        except urllib3.exceptions.HTTPError:
            return None

    def invoke(self, function, file, **changes):
        """Invokes as a person does; `changes` are put in the place of what the file has."""
        event = Path(f"{ROOT}/events/{file}.json").read_text()
        for old, new in changes.items():
            assert re.search(old, event)
            event = re.sub(old, new, event)
        command = ["cargo", "lambda", "invoke", function, "--invoke-port", str(self.port), "--data-ascii", event]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
        assert result.returncode == 0, f"{function}: {result.stderr}\nsee {self.log.name}"
        return json.loads(result.stdout)

    def close(self):
        os.killpg(self.process.pid, 15)
        self.process.wait(30)
        self.log.close()


@pytest.fixture(scope="module")
def watch(local, folder):
    watch = Watch(local, folder)
    yield watch
    watch.close()


@pytest.fixture(scope="module")
def person(local, pinterest):
    """The one of the files, with an account connected at the local stack."""
    person = Caller(local.url, local.token(sub=PERSON, tenant=PERSON, admin=True))
    settings = {**pinterest.APP, "status": "enabled", "environment": "sandbox"}
    person.call("PUT", "/api/v1/admin/integrations/pinterest", settings)
    connect(person, lambda address: address)
    board = person.call("GET", f"/api/v1/channels/{person.channel}/boards")["items"][0]["pinterest_board_id"]
    person.call("PATCH", f"/api/v1/channels/{person.channel}", {"default_board_id": board})
    return person


def test_functions_that_answer_requests(watch, person, local, pinterest):
    def answer(function, **changes):
        answer = watch.invoke(function, function, **changes)
        return answer["statusCode"], json.loads(answer["body"] or "null"), answer["headers"]

    status, settings, _ = answer("admin-save")
    assert status == 200 and settings["configured"]
    status, flow, _ = answer("oauth-start")
    assert status == 200 and flow["authorize_url"].startswith(local.variables["PINTEREST_AUTHORIZE_URL"])
    status, _, headers = answer("oauth-callback")
    assert status == 302 and headers["location"].endswith("#error=state_invalid")
    status, channels, _ = answer("channels")
    assert status == 200 and [channel["id"] for channel in channels["items"]] == [person.channel]
    status, pin, _ = answer("publish", ch_01kbcfqvg0m3w8x5t2c9r7d4ny=person.channel)
    assert status == 201 and pin["state"] == "published", pin
    assert [remote_pin["id"] for remote_pin in pinterest.pins_titled("Lemon salad")] == [pin["pinterest_pin_id"]]
    status, pins, _ = answer("pins", **{"state=scheduled": "state=published"})
    assert status == 200 and [item["id"] for item in pins["items"]] == [pin["id"]]
    status, refused, _ = answer("analytics", ch_01kbcfqvg0m3w8x5t2c9r7d4ny=person.channel)
    assert status == 409 and refused["code"] == "analytics_not_in_sandbox", refused
    status, health, _ = answer("docs")
    assert status == 200 and health["status"] == "ok"
    page = watch.invoke("console", "console")
    assert page["statusCode"] == 200 and page["headers"]["content-encoding"] == "gzip"
    assert gzip.decompress(base64.b64decode(page["body"])).startswith(b"<!doctype html>")


def test_asynchronous_functions(watch, person, local):
    for function, file in [("deliver", "deliver"), ("refresh", "refresh"), ("refresh", "refresh-daily-check")]:
        assert watch.invoke(function, file) is None
    assert watch.invoke("events", "events") == {"batchItemFailures": []}
    pin_ids = [event["detail"].get("pin_id") for event in http.request("GET", f"{local.url}/dev/events").json()["items"]]
    assert "pin_01kbcfrw2xq7v4j9b6k0s3e8hz" in pin_ids


def test_open_addresses_are_routed(watch):
    url = f"http://localhost:{watch.port}"
    assert http.request("GET", f"{url}/api/v1/health").json()["status"] == "ok"
    assert http.request("GET", f"{url}/openapi.json").json()["openapi"].startswith("3.1")

"""The local stack: here for its simulated Pinterest, and for the DynamoDB that `cargo lambda watch` works on."""

import re
import subprocess

from emulator import http, wait_for

ROOT = __file__.rsplit("/tests/", 1)[0]


class LocalStack:
    def __init__(self, folder):
        self.data = folder / "local"
        self.log = open(folder / "local.log", "w+")
        command = [f"{ROOT}/target/debug/pinwright", "--port", "0", "--data", str(self.data)]
        self.process = subprocess.Popen(command, cwd=folder, stdout=self.log, stderr=subprocess.STDOUT)
        self.url = wait_for("the local stack", 60, lambda: self.find_in_log(r"Pinwright runs at (\S+)"))
        self.pinterest = Pinterest(self.find_in_log(r"simulated, at (\S+)/ "))
        # What `cargo lambda watch --env-file` gives to the functions.
        self.env_file = self.data / "lambda.env"
        self.variables = dict(line.split("=", 1) for line in self.env_file.read_text().splitlines())

    def find_in_log(self, pattern):
        assert self.process.poll() is None, f"the local stack ended: see {self.log.name}"
        with open(self.log.name) as log:
            match = re.search(pattern, log.read())
        return match and match[1]

    def token(self, **person):
        return http.request("POST", f"{self.url}/dev/token", json=person).json()["token"]

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


class Pinterest:
    """The simulated one's switches, and what it has seen."""

    APP = {"app_id": "1234567", "app_secret": "simulated-app-secret"}

    def __init__(self, url):
        self.url = url
        # The emulator's gateway is not registered at the simulated app, and the tests' videos go to the sandbox.
        self.change(any_redirect_uri=True, sandbox_videos=True)

    def change(self, **policy):
        """Changes how it behaves."""
        answer = http.request("POST", f"{self.url}/sim/policy", json=policy)
        assert answer.status == 200, answer.data

    def strike(self, **fault):
        """Breaks the next call of an operation."""
        answer = http.request("POST", f"{self.url}/sim/faults", json=fault)
        assert answer.status == 200, answer.data

    def items(self, kind):
        return http.request("GET", f"{self.url}/sim/{kind}").json()["items"]

    def pins_titled(self, title):
        """The Pins of that title that are really there."""
        return [pin for pin in self.items("pins") if pin["title"] == title]

"""AWS on this machine: the emulator, with signatures verified and policies enforced."""

import os
import socket
import subprocess
import sys
import time

import boto3
import urllib3
from botocore.config import Config

REGION = "us-east-1"
# The emulator's root user. Functions act as their own roles.
ROOT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}

http = urllib3.PoolManager(retries=False, timeout=60)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(name, seconds, probe, pause=0.2):
    """Asks until there is an answer: other processes move by their own clock, a minute's rule among them."""
    deadline = time.monotonic() + seconds
    while True:
        if found := probe():
            return found
        assert time.monotonic() < deadline, f"{name}: not within {seconds} s"
        time.sleep(pause)


class Emulator:
    """Runs until it is closed, and forgets everything then."""

    def __init__(self, folder):
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self.environment = {**ROOT, "AWS_ENDPOINT_URL": self.url}
        # Functions inherit the emulator's environment: it gets what it needs and no more.
        environment = {
            **self.environment,
            "AUTH": "true",
            "GATEWAY_PORT": str(port),
            "HOME": os.environ["HOME"],
            "PATH": os.environ["PATH"],
            "TMPDIR": str(folder),
        }
        self.log = open(folder / "emulator.log", "w+")
        command = [sys.executable, f"{os.path.dirname(__file__)}/emulator_main.py"]
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=subprocess.STDOUT)
        wait_for("the emulator", 60, self.is_up)

    def is_up(self):
        assert self.process.poll() is None, f"the emulator ended: see {self.log.name}"
        try:
            return http.request("GET", f"{self.url}/_ministack/health").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def client(self, service, **credentials):
        """A client as root, or with other credentials. Nothing is repeated: a refusal is a result here."""
        if not credentials:
            credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        once = Config(retries={"total_max_attempts": 1}, read_timeout=120)
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, config=once, **credentials)

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()

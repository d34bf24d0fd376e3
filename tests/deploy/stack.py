"""The stack: built and deployed by the real `sam`, and its API called as a frontend calls it."""

import json
import os
import subprocess

from emulator import http
from gateway import Gateway
from issuer import AUDIENCE

ROOT = __file__.rsplit("/tests/", 1)[0]


def sam(*arguments, **environment):
    """Runs `sam` as samconfig.toml says, and fails with what it printed."""
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", **environment}
    # No profile of this machine's owner: the emulator is all there is.
    environment = {name: value for name, value in environment.items() if name != "AWS_PROFILE"}
    result = subprocess.run(["sam", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, f"sam {' '.join(arguments)}\n{result.stdout}\n{result.stderr}"
    return result.stdout


class Stack:
    """A deployed stack. What the emulator leaves out of it is added in the open: see gateway.py and stream.py."""

    def __init__(self, emulator, issuer, local, name):
        self.emulator, self.issuer, self.name = emulator, issuer, name
        self.parameters = {
            "JwtIssuer": issuer.url,
            "JwtAudience": AUDIENCE,
            "FrontendOrigins": "https://app.example.com",
            **{
                parameter: local.variables[name]
                for parameter, name in {
                    "PinterestApiUrl": "PINTEREST_API_URL",
                    "PinterestSandboxApiUrl": "PINTEREST_SANDBOX_API_URL",
                    "PinterestAuthorizeUrl": "PINTEREST_AUTHORIZE_URL",
                }.items()
            },
        }
        self.formation, self.gateway = emulator.client("cloudformation"), None

    def build(self):
        # The tests' machine builds for itself, with its own compiler, and never fetches another.
        nowhere = "http://127.0.0.1:9"
        sam(
            "build",
            CARGO_LAMBDA_COMPILER="cargo",
            RUSTUP_DIST_SERVER=nowhere,
            RUSTUP_UPDATE_ROOT=nowhere,
        )

    def deploy(self, **changes):
        self.parameters |= changes
        overrides = [f"{name}={value}" for name, value in self.parameters.items()]
        arguments = ["--stack-name", self.name, "--parameter-overrides", *overrides]
        sam("deploy", "--config-env", "local", *arguments, **self.emulator.environment)
        described = self.formation.describe_stacks(StackName=self.name)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        resources = self.formation.describe_stack_resources(StackName=self.name)["StackResources"]
        self.resources = {part["LogicalResourceId"]: part["PhysicalResourceId"] for part in resources}
        # The emulator speaks plain HTTP, and takes the policy that forbids it at its word.
        self.emulator.client("s3").delete_bucket_policy(Bucket=self.outputs["MediaBucketName"])
        if not self.gateway:
            self.gateway = Gateway(self)

    def table(self, logical_id):
        return self.emulator.client("dynamodb"), self.resources[logical_id]

    def invoke(self, function, event):
        """Runs a function as EventBridge does, and waits for its end."""
        answer = self.emulator.client("lambda").invoke(
            FunctionName=self.resources[f"{function}Function"], Payload=json.dumps(event)
        )
        return answer.get("FunctionError"), json.loads(answer["Payload"].read() or b"null")

    def logs(self):
        """Every line that the functions have logged."""
        logs = self.emulator.client("logs")
        groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
        return {
            group: [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
            for group in groups
        }

    def caller(self, sub, **claims):
        return Caller(self.gateway.url, self.issuer.token(sub, **claims))


class Caller:
    """A person with a token, at the API."""

    def __init__(self, url, token):
        self.url, self.token = url, token

    def send(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        return http.request(method, self.url + path, body=body, headers=headers, redirect=False)

    def call(self, method, path, body=None, status=None, **headers):
        """Asks, and gives the answer's JSON if all went well, or as `status` says."""
        answer = self.send(method, path, body, **headers)
        is_expected = answer.status == status if status else answer.status // 100 == 2
        assert is_expected, f"{method} {path}: {answer.status} {answer.data.decode()}"
        return answer.json() if answer.data else None

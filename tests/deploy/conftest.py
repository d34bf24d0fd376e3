"""What the tests share: one emulator, one issuer, one simulated Pinterest and one deployed stack."""

import json
import re

import pytest
from emulator import Emulator, http
from issuer import Issuer
from pinterest import LocalStack
from stack import Stack

# Pinterest's tokens, the App Secret, people's tokens, what a callback brings, and addresses of files.
SECRETS = re.compile(r"pin[ar]_\w|simulated-app-secret|eyJ\w|[?&](code|state)=|connection=\w|X-Amz-Signature")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("deploy")


def closing(resource):
    yield resource
    resource.close()


@pytest.fixture(scope="session")
def emulator(folder):
    yield from closing(Emulator(folder))


@pytest.fixture(scope="session")
def issuer():
    yield from closing(Issuer())


@pytest.fixture(scope="session")
def local(folder):
    yield from closing(LocalStack(folder))


@pytest.fixture(scope="session")
def pinterest(local):
    return local.pinterest


@pytest.fixture(scope="session")
def stack(emulator, issuer, local):
    stack = Stack(emulator, issuer, local, "pinwright-local")
    stack.build()
    stack.deploy()
    yield stack
    for group, lines in stack.logs().items():
        for line in lines:
            assert not SECRETS.search(line), f"{group} holds a secret: {line}"


@pytest.fixture(scope="session")
def news(stack):
    return News(stack)


@pytest.fixture(scope="session")
def admin(stack, news, pinterest):
    """The operator, who has saved App ID and App Secret. The bus is listened to from here on."""
    admin = stack.caller("operator", scope="pinwright/admin")
    settings = {**pinterest.APP, "status": "enabled", "environment": "sandbox"}
    admin.call("PUT", "/api/v1/admin/integrations/pinterest", settings)
    return admin


@pytest.fixture(scope="session")
def ada(stack, admin):
    """A person with a connected account and a default board: `ada.channel`, `ada.board`."""
    ada = stack.caller("ada")
    connect(ada, stack.gateway.at)
    boards = ada.call("GET", f"/api/v1/channels/{ada.channel}/boards?sections=true")["items"]
    ada.board = boards[0]["pinterest_board_id"]
    ada.call("PATCH", f"/api/v1/channels/{ada.channel}", {"default_board_id": ada.board})
    return ada


def connect(person, at):
    """From the button to the channel, as a browser goes: Pinterest's consent page, the callback, the ticket. `at`
    says where an address of the API really is."""
    flow = person.call("POST", "/api/v1/auth/pinterest/start", {"return_to": "/app/channels"})
    consent = http.request(
        "POST", flow["authorize_url"], fields={"decision": "allow"}, encode_multipart=False, redirect=False
    )
    redirect = http.request("GET", at(consent.headers["Location"]), redirect=False)
    assert redirect.status == 302, redirect.data
    ticket = redirect.headers["Location"].split("#connection=")[1]
    person.channel = person.call("POST", "/api/v1/connections/claim", {"connection": ticket})["id"]


def upload(person, content_type, content):
    """Brings a file into the stack's bucket: what Pins call it."""
    offer = person.call("POST", "/api/v1/media", {"content_type": content_type, "bytes": len(content)}, 201)
    order = offer["upload"]
    assert http.request(order["method"], order["url"], body=content, headers=order["headers"]).status == 200
    return offer["media_id"]


def image(**more):
    return {"media": {"kind": "image", "url": "https://images.example.com/salad.jpg"}, **more}


class News:
    """Reads the stack's bus, through a rule and a queue of the tests' own."""

    def __init__(self, stack):
        self.queue, self.events = stack.emulator.client("sqs"), []
        self.url = self.queue.create_queue(QueueName="news")["QueueUrl"]
        attributes = self.queue.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]})
        self.queue.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})
        bus, events = stack.outputs["BusName"], stack.emulator.client("events")
        pattern = json.dumps({"source": ["pinwright"]})
        events.put_rule(Name="news", EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule="news", EventBusName=bus, Targets=[{"Id": "news", "Arn": arn}])

    def collect(self):
        while messages := self.queue.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.events.append(json.loads(message["Body"]))
                self.queue.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

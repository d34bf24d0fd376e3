"""What goes on without anybody: the rules of every minute and of every day, and what they do with trouble."""

import json

import pytest
from conftest import image, upload
from emulator import wait_for
from stream import Poller, item

# A rule fires every minute, and the emulator looks at its rules every ten seconds.
A_MINUTE = 150
VIDEO = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08moov" + bytes(100_000)
BROKEN = "pin_01kbcfrw2xq7v4j9b6k0s3e8hz"


def pin_of(person, pin):
    return person.call("GET", f"/api/v1/pins/{pin['id']}")


def published(person, pin):
    def probe():
        now = pin_of(person, pin)
        return now if now["state"] == "published" else None

    return probe


def test_the_minute_rule_settles_an_unknown_outcome_and_uploads_a_video(ada, pinterest):
    film = upload(ada, "video/mp4", VIDEO)
    body = image(channel_id=ada.channel, title="Film", media={"kind": "video", "media_id": film})
    video = ada.call("POST", "/api/v1/pins", body, 202)
    assert video["reason"] == "video_processing", video
    pinterest.strike(operation="create_pin", kind="cut_after")
    created = ada.call("POST", "/api/v1/pins", image(channel_id=ada.channel, title="Lost answer"), 202)
    assert created["state"] == "waiting" and created["reason"] == "outcome_unknown", created
    settled = wait_for("the look at the board", 2 * A_MINUTE, published(ada, created), 2)
    [remote_pin] = pinterest.pins_titled("Lost answer")
    assert settled["pinterest_pin_id"] == remote_pin["id"]
    wait_for("the video", 2 * A_MINUTE, published(ada, video), 2)
    assert [pin["media_type"] for pin in pinterest.pins_titled("Film")] == ["video"]


def test_the_minute_rule_refreshes_a_token_and_sends_the_pin_that_waited(ada, pinterest):
    before = ada.call("GET", f"/api/v1/channels/{ada.channel}")["access_expires_at"]
    pinterest.strike(operation="create_pin", kind="unauthorized")
    created = ada.call("POST", "/api/v1/pins", image(channel_id=ada.channel, title="Token expired"), 202)
    assert created["reason"] == "token_refresh", created
    wait_for("the new token and the Pin", 3 * A_MINUTE, published(ada, created), 2)
    assert ada.call("GET", f"/api/v1/channels/{ada.channel}")["access_expires_at"] > before
    assert len(pinterest.pins_titled("Token expired")) == 1


def test_the_daily_rule_makes_the_daily_check(stack, admin, ada):
    events, function = stack.emulator.client("events"), stack.resources["RefreshFunction"]
    rules = {rule["Name"]: rule for rule in events.list_rules()["Rules"]}
    targets = {
        rule["ScheduleExpression"]: target
        for name, rule in rules.items()
        for target in events.list_targets_by_rule(Rule=name)["Targets"]
        if target["Arn"].endswith(f":{function}")
    }
    assert targets.keys() == {"rate(1 minute)", "cron(0 3 * * ? *)"}
    daily = targets["cron(0 3 * * ? *)"]
    assert stack.invoke("Refresh", json.loads(daily["Input"])) == (None, None)

    def worker():
        worker = admin.call("GET", "/api/v1/admin/integrations/pinterest")["worker"]
        return worker if worker["last_tick_at"] else None

    status = wait_for("the rule of every minute", A_MINUTE, worker, 2)
    assert status["last_daily_at"] and not status["oldest_due_at"] and not status["detail"], status


def test_a_row_that_always_fails_backs_off_and_the_others_go_on(stack, ada, pinterest):
    pinterest.strike(operation="create_pin", kind="cut_after")
    waiting = ada.call("POST", "/api/v1/pins", image(channel_id=ada.channel, title="Behind a broken row"), 202)
    # The same row once more, with a state that nobody can read, and due for a long time: it comes first.
    dynamodb, main = stack.table("MainTable")
    due = dynamodb.get_item(TableName=main, Key=key("ada", waiting["id"]))["Item"]
    broken = item(**key_of("broken", BROKEN), due_sk=f"{1:015}#{BROKEN}", state="none at all")
    dynamodb.put_item(TableName=main, Item={**due, **broken})

    wait_for("the Pin behind the broken row", 2 * A_MINUTE, published(ada, waiting), 2)

    def postponed_row():
        row = dynamodb.get_item(TableName=main, Key=key("broken", BROKEN))["Item"]
        return not row["due_sk"]["S"].startswith(f"{1:015}") and row

    assert wait_for("the broken row's new time", A_MINUTE, postponed_row)["state"] == broken["state"]
    dynamodb.delete_item(TableName=main, Key=key("broken", BROKEN))


@pytest.fixture
def poller(stack):
    poller = Poller(stack)
    yield poller
    poller.close()


def test_an_unreadable_record_ends_in_the_dead_letters_and_the_others_become_events(stack, ada, news, poller):
    dynamodb, main = stack.table("MainTable")
    before = ada.call("POST", "/api/v1/pins", image(channel_id=ada.channel, title="Before"), 201)
    poison = item(**key_of("poison", BROKEN), state="none at all")
    dynamodb.put_item(TableName=main, Item=poison)
    after = ada.call("POST", "/api/v1/pins", image(channel_id=ada.channel, title="After"), 201)
    poller.run()

    news.collect()
    published_ids = {event["detail"].get("pin_id") for event in news.events if event["detail-type"] == "pin.published"}
    assert {before["id"], after["id"]} <= published_ids
    sqs, url = stack.emulator.client("sqs"), stack.outputs["DeadLettersUrl"]
    [letter] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    number = json.loads(letter["Body"])["DDBStreamBatchInfo"]["startSequenceNumber"]
    [named] = {
        line["fields"]["row"]
        for line in map(json.loads, filter(is_json, log_of(stack, "events")))
        if line["fields"].get("stream.sequence_number") == number
    }
    assert named == f"TENANT#poison PIN#{BROKEN}"
    dynamodb.delete_item(TableName=main, Key=key("poison", BROKEN))


def key_of(tenant, pin):
    return {"pk": f"TENANT#{tenant}", "sk": f"PIN#{pin}"}


def key(tenant, pin):
    return item(**key_of(tenant, pin))


def is_json(line):
    return line.startswith("{")


def log_of(stack, function):
    return next(lines for group, lines in stack.logs().items() if group.endswith(f"/{function}"))

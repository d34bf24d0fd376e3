"""Each function may do what its work needs, and nothing else: the emulator enforces the stack's policies.

It does not look at their conditions, which name rows and attributes: `tests/stack/rights.rs` compares those with what
functions do.
"""

import json

import pytest
from botocore.exceptions import ClientError

TENANT = {"pk": {"S": "TENANT#ada"}, "sk": {"S": "PIN#x"}}


@pytest.fixture(scope="module")
def act_as(stack):
    """Clients that act as a function. Roles trust Lambda alone: here the tests are let in as well."""

    def clients(function):
        role, iam = stack.resources[f"{function}Role"], stack.emulator.client("iam")
        account = "arn:aws:iam::000000000000:root"
        trusted = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)
        arn = iam.get_role(RoleName=role)["Role"]["Arn"]
        session = stack.emulator.client("sts").assume_role(RoleArn=arn, RoleSessionName="tests")["Credentials"]
        credentials = {
            "aws_access_key_id": session["AccessKeyId"],
            "aws_secret_access_key": session["SecretAccessKey"],
            "aws_session_token": session["SessionToken"],
        }
        return lambda service: stack.emulator.client(service, **credentials)

    return clients


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")


FUNCTIONS = [
    "AdminSave",
    "OauthStart",
    "OauthCallback",
    "Channels",
    "Publish",
    "Pins",
    "Analytics",
    "Docs",
    "Console",
    "Deliver",
    "Refresh",
    "Events",
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nobody_can_scan(stack, act_as, function):
    dynamodb = act_as(function)("dynamodb")
    for table in ("MainTable", "TokensTable"):
        assert refused(dynamodb.scan, TableName=stack.resources[table])


def test_pins_cannot_read_tokens(stack, act_as):
    dynamodb, tokens = act_as("Pins")("dynamodb"), stack.resources["TokensTable"]
    assert refused(dynamodb.get_item, TableName=tokens, Key=TENANT)
    assert refused(
        dynamodb.query,
        TableName=tokens,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "CHANNEL#x"}},
    )
    # Its own table it can read: what is refused above is refused by the policy, not by a broken session.
    assert "Item" not in dynamodb.get_item(TableName=stack.resources["MainTable"], Key=TENANT)


@pytest.mark.parametrize("function", ["Publish", "Channels", "Analytics", "Deliver", "Pins", "OauthStart", "Docs", "Events"])
def test_the_app_secret_is_read_by_three_functions_alone(stack, act_as, admin, function):
    secrets = act_as(function)("secretsmanager")
    assert refused(secrets.get_secret_value, SecretId=stack.outputs["SettingsSecretArn"])


@pytest.mark.parametrize("function", ["AdminSave", "OauthCallback", "Refresh"])
def test_those_three_can_read_it_and_one_can_write_it(stack, act_as, admin, function):
    secrets, secret = act_as(function)("secretsmanager"), stack.outputs["SettingsSecretArn"]
    assert "pinterest_app-secret" in secrets.get_secret_value(SecretId=secret)["SecretString"]
    if function != "AdminSave":
        assert refused(secrets.put_secret_value, SecretId=secret, SecretString="{}")


@pytest.mark.parametrize("function", ["AdminSave", "OauthStart", "Pins", "Docs", "Console", "Events"])
def test_functions_that_open_no_token_cannot_read_the_keys(stack, act_as, function):
    secrets = act_as(function)("secretsmanager")
    assert refused(secrets.get_secret_value, SecretId=stack.outputs["KeyRingArn"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_files_are_read_and_written_only_by_the_functions_that_need_it(stack, act_as, function):
    files, bucket = act_as(function)("s3"), stack.outputs["MediaBucketName"]
    stack.emulator.client("s3").put_object(Bucket=bucket, Key="a/b", Body=b"c")
    if function in ["Publish", "Deliver"]:
        assert files.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"c"
    else:
        assert refused(files.get_object, Bucket=bucket, Key="a/b")
    if function == "Publish":
        files.put_object(Bucket=bucket, Key="a/b", Body=b"d")
    else:
        assert refused(files.put_object, Bucket=bucket, Key="a/b", Body=b"d")
    if function == "Publish":
        files.delete_object(Bucket=bucket, Key="a/b")
    else:
        assert refused(files.delete_object, Bucket=bucket, Key="a/b")


@pytest.fixture
def pins(stack):
    """Sets variables of `pins`, and puts them back."""
    functions, name = stack.emulator.client("lambda"), stack.resources["PinsFunction"]
    current = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def change(**variables):
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": {**current, **variables}})

    yield change
    change()


@pytest.mark.parametrize("name, broken", [("MAIN_TABLE", ""), ("REDIRECT_PATH", "/no"), ("BASE_URL", "nonsense")])
def test_a_function_with_a_broken_setting_does_not_start_and_says_which(ada, pins, name, broken):
    pins(**{name: broken})
    answer = ada.send("GET", "/api/v1/pins")
    text = answer.data.decode()  # of the emulator: it hands out what AWS keeps in the log
    assert answer.status >= 500 and name in text and "set it to" in text, text
    pins()
    assert ada.call("GET", "/api/v1/pins")["next"] is None

"""Files: straight into the stack's bucket, by an address that the function's own role has signed."""

import re

from conftest import image, upload
from emulator import http

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(56)


def test_a_file_is_uploaded_only_as_it_was_announced(stack, ada):
    offer = ada.call("POST", "/api/v1/media", {"content_type": "image/png", "bytes": len(PICTURE)}, 201)
    upload = offer["upload"]

    def send(content, **headers):
        headers = {**upload["headers"], "content-length": str(len(content)), **headers}
        return http.request(upload["method"], upload["url"], body=content, headers=headers).status

    assert send(PICTURE + b"x") == 403
    assert send(PICTURE, **{"content-type": "image/jpeg"}) == 403
    assert send(PICTURE) == 200
    bucket = stack.emulator.client("s3")
    [kept] = bucket.list_objects_v2(Bucket=stack.outputs["MediaBucketName"])["Contents"]
    assert re.fullmatch(f"[0-9a-f]{{64}}/{offer['media_id']}", kept["Key"]) and kept["Size"] == len(PICTURE)


def test_an_uploaded_file_is_published_by_an_address_that_pinterest_can_open(ada, pinterest):
    media = {"kind": "image", "media_id": upload(ada, "image/png", PICTURE)}
    ada.call("POST", "/api/v1/pins", image(channel_id=ada.channel, title="Mine", media=media), 201)
    [pin] = pinterest.pins_titled("Mine")
    assert http.request("GET", pin["pictures"][0]).data == PICTURE


def test_a_row_of_a_file_is_a_pin_and_a_check_looks_at_its_board(ada):
    row = image(channel_id=ada.channel, title="Row")
    answer = ada.call("POST", "/api/v1/pins/bulk?dry_run=true", row, Content_Type="application/x-ndjson")
    assert [result_row["status"] for result_row in answer["rows"]] == ["valid"], answer
    assert ada.call("POST", "/api/v1/pins/validate", row)["ok"]
    move_request = {"channel_id": ada.channel, "from_board_id": "1", "to_board_id": "2"}
    assert ada.call("POST", "/api/v1/pins/move", move_request) == {"moved": [], "left": []}


def test_an_upload_of_another_type_or_size_is_refused(ada):
    for body, status, code in [
        ({"content_type": "image/heic", "bytes": 1}, 422, "unsupported_media_type"),
        ({"content_type": "image/png", "bytes": 20 * 1024 * 1024 + 1}, 413, "media_too_large"),
    ]:
        answer = ada.send("POST", "/api/v1/media", body)
        assert (answer.status, answer.json()["code"]) == (status, code) and answer.json()["fix"]

"""Files: straight into the stack's bucket, by an address that the function's own role has signed."""

import re

from emulator import http

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(56)


def test_a_file_goes_into_the_bucket_as_it_was_announced_and_not_otherwise(stack, ada):
    offer = ada.done("POST", "/api/v1/media", {"content_type": "image/png", "bytes": len(PICTURE)}, 201)
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


def test_no_kind_and_no_size_but_pinterests_is_offered_a_place(ada):
    for body, status, code in [
        ({"content_type": "image/gif", "bytes": 1}, 422, "unsupported_media_type"),
        ({"content_type": "image/png", "bytes": 20 * 1024 * 1024 + 1}, 413, "media_too_large"),
    ]:
        answer = ada.ask("POST", "/api/v1/media", body)
        assert (answer.status, answer.json()["code"]) == (status, code) and answer.json()["fix"]

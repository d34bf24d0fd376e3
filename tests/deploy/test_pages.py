"""The pages through API Gateway: what a browser gets, and what their policy lets it reach."""

import gzip
import html
import json
import re

from emulator import http


def page(stack, path):
    answer = http.request("GET", stack.gateway.url + path)
    assert answer.status == 200, path
    return answer


def test_every_page_names_existing_files(stack):
    frame = page(stack, "/app/channels")
    assert frame.headers["Content-Type"] == "text/html; charset=utf-8"
    files = set(re.findall(r'"(/assets/[^"]+)"', frame.data.decode()))
    assert len(files) > 5
    for file in files:
        headers = {"Accept-Encoding": "gzip"}
        answer = http.request("GET", stack.gateway.url + file, headers=headers, decode_content=False)
        assert answer.status == 200 and answer.headers["Content-Encoding"] == "gzip", file
        assert gzip.decompress(answer.data), file


def test_pages_reach_the_issuer_and_the_bucket_of_this_stack(stack, issuer):
    frame = page(stack, "/admin/api-integration/pinterest")
    policy = dict(part.split(" ", 1) for part in frame.headers["Content-Security-Policy"].split("; "))
    sources = policy["connect-src"].split()
    assert sources[0] == "'self'" and issuer.url in sources
    assert "unsafe" not in frame.headers["Content-Security-Policy"]

    settings = html.unescape(re.search(r'name="pinwright" content="([^"]+)"', frame.data.decode())[1])
    settings = json.loads(settings)
    assert settings["issuer"] == issuer.url
    assert settings["sign_in"] == "none", "the stack was deployed without SignInClientId"

"""The main job through API Gateway: who may call, settings, connecting, boards, publishing."""

import jwt
from conftest import image
from cryptography.hazmat.primitives.asymmetric import rsa
from emulator import http, wait_for
from issuer import AUDIENCE
from stack import Caller

SETTINGS = "/api/v1/admin/integrations/pinterest"
PAGES = {
    "GET /",
    "GET /admin/api-integration/pinterest",
    "GET /api-reference",
    "GET /app/channels",
    "GET /app/analytics",
    "GET /app/publishing",
    "GET /app/sign-in",
    "GET /assets/{version}/{id}",
}


def test_every_route_but_the_open_ones_asks_for_a_token(stack, issuer):
    foreign_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    refused = [
        None,
        issuer.token("ada", key=foreign_key),
        issuer.token("ada", aud="another-product"),
        issuer.token("ada", iss="https://issuer.example.com"),
        issuer.token("ada", exp=1),
        jwt.encode({"sub": "ada", "iss": issuer.url, "aud": AUDIENCE}, key=None, algorithm="none"),
    ]
    open_routes = {key for key, is_open in stack.gateway.routes.items() if is_open}
    assert open_routes == {
        "GET /api/v1/auth/pinterest/callback",
        "GET /mixpost/callback/pinterest",
        "GET /api/v1/health",
        "GET /openapi.json",
        "GET /problems/{id}",
        *PAGES,
    }
    for key in stack.gateway.routes.keys() - open_routes:
        method, path = key.replace("{id}", "x").split()
        for token in refused:
            assert Caller(stack.gateway.url, token).send(method, path).status == 401, f"{key} {token}"


def test_the_open_routes_answer_and_a_browser_of_the_frontend_may_call(stack):
    anonymous = Caller(stack.gateway.url, None)
    assert anonymous.call("GET", "/api/v1/health")["status"] == "ok"
    assert anonymous.call("GET", "/problems/too_long")["code"] == "too_long"
    contract = anonymous.call("GET", "/openapi.json")
    routes = {f"{method.upper()} {path}" for path, of in contract["paths"].items() for method in of}
    assert routes == stack.gateway.routes.keys() - PAGES, "pages are for people"

    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for origin, allowed in [("https://app.example.com", True), ("https://evil.example.com", False)]:
        headers = {"Origin": origin, **preflight}
        answer = http.request("OPTIONS", stack.gateway.url + "/api/v1/pins", headers=headers)
        assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is allowed, answer.headers


def test_settings_are_for_admins_and_the_redirect_uri_is_the_one_to_register(stack, admin, ada):
    assert ada.send("GET", SETTINGS).status == 403
    by_group = stack.caller("operator-of-a-group", **{"cognito:groups": ["admin"]})
    for person in (admin, by_group):
        settings = person.call("GET", SETTINGS)
        assert settings["configured"] and settings["app_id_source"] == "stored"
        assert settings["redirect_uris"][0].endswith("/api/v1/auth/pinterest/callback")
    assert stack.outputs["RedirectUri"].endswith("/api/v1/auth/pinterest/callback")
    assert admin.call("POST", f"{SETTINGS}/test")["result"] == "ok"


def test_an_account_is_connected_for_its_tenant_only(stack, ada):
    [channel] = ada.call("GET", "/api/v1/channels")["items"]
    assert channel["id"] == ada.channel and channel["status"] == "connected"
    assert channel["default_board"]["pinterest_board_id"] == ada.board
    bob = stack.caller("bob")
    assert bob.call("GET", "/api/v1/channels")["items"] == []
    assert bob.send("GET", f"/api/v1/channels/{ada.channel}").status == 404
    assert bob.send("POST", "/api/v1/pins", image(channel_id=ada.channel)).status == 404


def test_a_pin_is_published_once_however_often_it_is_sent(ada, pinterest):
    pin = image(channel_id=ada.channel, title="Sent three times", link="https://example.com/salad")
    created = [ada.call("POST", "/api/v1/pins", pin, 201, Idempotency_Key="salad") for _ in range(3)]
    assert {answer["id"] for answer in created} == {created[0]["id"]} and created[0]["state"] == "published"
    [remote_pin] = pinterest.pins_titled("Sent three times")
    assert remote_pin["id"] == created[0]["pinterest_pin_id"]
    other = ada.send("POST", "/api/v1/pins", {**pin, "title": "Another"}, Idempotency_Key="salad")
    assert other.status == 422 and other.json()["code"] == "idempotency_key_reused"


def test_an_invalid_body_is_refused_with_a_fix(ada):
    for body in [{}, image(channel_id=ada.channel, title="x" * 101), image(channel_id="nonsense")]:
        answer = ada.send("POST", "/api/v1/pins", body)
        problem = answer.json()
        assert 400 <= answer.status < 500 and problem["code"] and problem["fix"], problem
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_events_reach_the_bus(stack, news, ada, pinterest):
    pin = ada.call("POST", "/api/v1/pins", image(channel_id=ada.channel, title="Told to the bus"), 201)

    def event_kinds():
        news.collect()
        return {event["detail-type"] for event in news.events if event["detail"].get("pin_id") == pin["id"]}

    assert "pin.published" in wait_for("the event", 60, event_kinds)
    kinds = {event["detail-type"] for event in news.events}
    assert {"settings.changed", "channel.connected", "pin.published"} <= kinds, kinds
    assert all(event["source"] == "pinwright" for event in news.events)

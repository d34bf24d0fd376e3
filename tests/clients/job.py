"""The main job of a client, with the client that openapi-python-client makes: everything answers the documented type."""

import os
from datetime import datetime, timedelta, timezone

import httpx

from generated.python.api.channels import create_board, list_boards
from generated.python.api.connecting import claim_connection, start_oauth
from generated.python.api.pins import change_pin, create_pin, list_pins, read_pin, validate_pin
from generated.python.api.settings import read_settings, save_settings
from generated.python import models as m
from generated.python.client import AuthenticatedClient

API = os.environ["API"]


def client(token: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=API, token=token)


def expect(answer, kind):
    assert isinstance(answer, kind), answer
    return answer


def connect(api: AuthenticatedClient) -> m.Channel:
    started = expect(start_oauth.sync(client=api, body=m.StartOAuthRequest(return_to="/app/channels")), m.StartedOAuth)
    callback = httpx.post(started.authorize_url, data={"decision": "allow"}).headers["location"]
    ticket = httpx.get(callback).headers["location"].split("#connection=")[1]
    return expect(claim_connection.sync(client=api, body=m.ClaimConnectionRequest(connection=ticket)), m.Channel)


def job(api: AuthenticatedClient, environment: m.PinterestEnvironment) -> None:
    settings = m.SaveSettingsRequest(
        app_id="1234567",
        app_secret="simulated-app-secret",
        status=m.IntegrationStatus.ENABLED,
        environment=environment,
    )
    expect(save_settings.sync(client=api, body=settings), m.Settings)
    assert expect(read_settings.sync(client=api), m.Settings).environment is environment
    channel = connect(api)
    assert channel.environment is environment and channel.status is m.ConnectionStatus.CONNECTED
    created = create_board.sync(channel.id, client=api, body=m.CreateBoardRequest(name="Salads", privacy=m.BoardPrivacy.PUBLIC))
    board = expect(created, m.Board)
    assert expect(list_boards.sync(channel.id, client=api, sections=True), m.BoardPage).items

    def pin(title: str, **more) -> m.CreatePinRequest:
        media = m.NewImageMedia(kind=m.NewImageMediaKind.IMAGE, url=f"https://images.example.com/{title}.jpg")
        return m.CreatePinRequest(
            channel_id=channel.id, board_id=board.pinterest_board_id, title=title, media=media, **more
        )

    published = expect(create_pin.sync(client=api, body=pin("now")), m.Pin)
    assert published.state is m.PinState.PUBLISHED, published
    # Times are whole milliseconds.
    tomorrow = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=1)
    scheduled = expect(create_pin.sync(client=api, body=pin("instant", publish_at=tomorrow)), m.Pin)
    assert (scheduled.state, scheduled.publish_at) == (m.PinState.SCHEDULED, tomorrow)
    local = m.ZonedTime(local=f"{tomorrow:%Y-%m-%dT%H:%M}", time_zone="Europe/Istanbul")
    expect(create_pin.sync(client=api, body=pin("local", publish_at=local)), m.Pin)
    changed = expect(change_pin.sync(scheduled.id, client=api, body=m.UpdatePinRequest(title="changed")), m.Pin)
    assert changed.title == "changed"
    assert expect(validate_pin.sync(client=api, body=pin("checked"), fetch_media=False), m.PinValidation).ok

    csv = f"title,media_url,board_id\nrow,https://images.example.com/row.jpg,{board.pinterest_board_id}\nno,no,1\n"
    for dry_run, status in [(True, m.BulkRowStatus.VALID), (False, m.BulkRowStatus.ACCEPTED), (False, m.BulkRowStatus.EXISTS)]:
        response = api.get_httpx_client().request(
            "post",
            "/api/v1/pins/bulk",
            params={"dry_run": dry_run, "channel_id": channel.id},
            content=csv,
            headers={"content-type": "text/csv"},
        )
        rows = m.BulkResult.from_dict(response.json()).rows
        assert [row.status for row in rows] == [status, m.BulkRowStatus.REFUSED], rows
        assert rows[1].code is m.ProblemCode.INVALID_URL

    refused = expect(create_pin.sync(client=api, body=pin("x" * 101)), m.Problem)
    assert (refused.code, refused.field) == (m.ProblemCode.TOO_LONG, "title")
    unauthenticated = expect(list_pins.sync(client=client("nobody")), m.Problem)
    assert unauthenticated.code is m.ProblemCode.UNAUTHENTICATED

    states(api, pin, "nowhere")
    page = expect(list_pins.sync(client=api, state=m.PinState.SCHEDULED, limit=1), m.PinPage)
    assert [item.state for item in page.items] == [m.PinState.SCHEDULED] and page.next_
    all_pins = expect(list_pins.sync(client=api, channel_id=channel.id, limit=200), m.PinPage).items
    for item in all_pins:
        assert expect(read_pin.sync(item.id, client=api), m.Pin).timeline[0].event is m.TimelineEntryEvent.ACCEPTED
    print(environment.value, len(all_pins), "Pins:", sorted({item.state.value for item in all_pins}))


def states(api: AuthenticatedClient, pin, title: str) -> None:
    nowhere = pin(title)
    nowhere.board_id = "999999999999"
    failed = expect(create_pin.sync(client=api, body=nowhere), m.Problem)
    assert failed.code is m.ProblemCode.BOARD_ID_INVALID, failed
    assert expect(read_pin.sync(failed.pin_id, client=api), m.Pin).error.code is m.ProblemCode.BOARD_ID_INVALID


for environment in m.PinterestEnvironment:
    job(client(os.environ["API_TOKEN"]), environment)

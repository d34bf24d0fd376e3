"""The main job of a client, with the client that OpenAPI Generator makes for Python: pydantic reads every answer."""

import os
from datetime import datetime, timedelta, timezone

import pinwright_client as p
import urllib3
from pinwright_client.exceptions import ApiException

API = os.environ["API"]
http = urllib3.PoolManager()


def location(method: str, url: str, **body) -> str:
    return http.request(method, url, redirect=False, **body).headers["location"]


def connect(api: p.ApiClient) -> p.Channel:
    started = p.ConnectingApi(api).start_oauth(p.StartOAuthRequest(return_to="/app/channels"))
    callback = location("POST", started.authorize_url, fields={"decision": "allow"}, encode_multipart=False)
    ticket = location("GET", callback).split("#connection=")[1]
    return p.ConnectingApi(api).claim_connection(p.ClaimConnectionRequest(connection=ticket))


def refused(call, *arguments) -> p.Problem:
    try:
        call(*arguments)
    except ApiException as error:
        return p.Problem.from_json(error.body)
    raise AssertionError("it was not refused")


def job(api: p.ApiClient, environment: p.PinterestEnvironment) -> None:
    settings = p.SaveSettingsRequest(
        app_id="1234567",
        app_secret="simulated-app-secret",
        status=p.IntegrationStatus.ENABLED,
        environment=environment,
    )
    assert p.SettingsApi(api).save_settings(settings).environment is environment
    assert p.SettingsApi(api).read_settings().app_secret_set
    channel, channels, pins = connect(api), p.ChannelsApi(api), p.PinsApi(api)
    assert channel.environment is environment and channel.status is p.ConnectionStatus.CONNECTED
    board = channels.create_board(channel.id, p.CreateBoardRequest(name="Soups", privacy=p.BoardPrivacy.PUBLIC))
    changed = channels.change_channel(channel.id, p.UpdateChannelRequest(default_board_id=board.pinterest_board_id))
    assert changed.default_board.name == "Soups"
    assert channels.list_boards(channel.id, sections=True).items

    def pin(title: str, **more) -> p.CreatePinRequest:
        image = p.NewImageMedia(kind="image", url=f"https://images.example.com/{title}.jpg")
        return p.CreatePinRequest(channel_id=channel.id, title=title, media=p.NewMedia(image), **more)

    published = pins.create_pin(pin("now"))
    assert published.state is p.PinState.PUBLISHED, published
    # Times are whole milliseconds.
    tomorrow = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=1)
    scheduled = pins.create_pin(pin("instant", publish_at=p.PublishAt(tomorrow)))
    assert scheduled.state is p.PinState.SCHEDULED
    local = p.ZonedTime(local=f"{tomorrow:%Y-%m-%dT%H:%M}", time_zone="Europe/Istanbul")
    pins.create_pin(pin("local", publish_at=p.PublishAt(local)))
    assert pins.change_pin(scheduled.id, p.UpdatePinRequest(title="changed")).title == "changed"
    checked = pins.validate_pin(pin("checked"))
    assert checked.ok and len(checked.checks) == 12, checked

    rows = f"channel_id,title,media_url\n{channel.id},row,https://images.example.com/row.jpg\n"
    for status in [p.BulkRowStatus.ACCEPTED, p.BulkRowStatus.EXISTS]:
        result = pins.bulk_pins(rows, _content_type="text/csv")
        assert [row.status for row in result.rows] == [status], result

    problem = refused(pins.create_pin, pin("nowhere", board_id="999999999999"))
    assert problem.code is p.ProblemCode.BOARD_ID_INVALID
    failed = pins.read_pin(problem.pin_id)
    assert failed.state is p.PinState.FAILED and failed.timeline[-1].reason == failed.error.code
    cancelled = pins.cancel_pin(scheduled.id)
    assert cancelled.state is p.PinState.CANCELLED
    states = {item.state for item in pins.list_pins(channel_id=channel.id, limit=200).items}
    assert {p.PinState.PUBLISHED, p.PinState.SCHEDULED, p.PinState.FAILED, p.PinState.CANCELLED} <= states
    print(environment.value, sorted(state.value for state in states))


with p.ApiClient(p.Configuration(host=API, access_token=os.environ["API_TOKEN"])) as client:
    for environment in p.PinterestEnvironment:
        job(client, environment)

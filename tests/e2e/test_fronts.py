"""Streams through the four web servers, each with its file of conf/: nothing is buffered, and a streamer that is down is
answered so that EventSource comes back."""
import re

import pytest

from fronts import FRONTS, Place
from http_raw import Stream, fetch
from streamer_program import Streamer, publish
from support import wait_until

STREAM = {"Accept": "text/event-stream"}
ORIGIN = "https://app.example"


@pytest.fixture
def place(tmp, publish_program):
    place = Place(tmp, publish_program)
    place.write_settings(publish_auth="none")
    return place


@pytest.fixture(params=sorted(FRONTS))
def front(request, place, processes, redis, streamer_program):
    """One web server with a streamer behind it."""
    front = FRONTS[request.param](place, processes)
    front.name = request.param
    front.streamer = Streamer(streamer_program, processes, redis.url, place.folder, address=place.streamer_socket,
                              cors_origins=ORIGIN).start()
    place.open_to_the_web_server(place.streamer_socket)
    return front.start()


def test_the_head_and_each_event_arrive_before_the_next_is_published(front, bus):
    with Stream(front.address, "/events?topic=a,b") as stream:
        assert stream.head.status == 200
        assert stream.head.headers["content-type"] == "text/event-stream; charset=utf-8"
        stream.opened()
        for i in range(5):
            event = publish(bus, "a", data=str(i))
            assert stream.take("x").id == event


def test_heartbeats_keep_a_quiet_stream_through_the_front(front, processes, redis, place, streamer_program):
    front.streamer.stop()
    front.streamer.settings["heartbeat_seconds"] = 5
    front.streamer.start()
    place.open_to_the_web_server(place.streamer_socket)
    with Stream(front.address, "/events?topic=a") as stream:
        stream.opened()
        assert stream.block(timeout=8).text == b": ping"


def test_the_streamers_own_answers_pass_unchanged(front):
    assert fetch(front.address, "/events").status == 400
    assert fetch(front.address, "/events").json["detail"] == "Missing required query parameter: topic"
    assert fetch(front.address, "/events?topic=a", method="PUT").status == 405
    assert fetch(front.address, "/health").json == {"status": "healthy"}
    assert fetch(front.address, "/health/ready").json == {"status": "ready"}


def test_a_page_gets_its_cursor_and_a_stream_that_begins_there(front, bus):
    cursor = fetch(front.address, "/events/cursor?topic=a").json["cursor"]
    missed = publish(bus, "a", name="missed")
    with Stream(front.address, f"/events?topic=a&last_event_id={cursor}") as stream:
        assert stream.opened().json["replayed"] == 1
        assert stream.take("missed").id == missed
    with Stream(front.address, "/events?topic=a", headers={"Last-Event-ID": cursor}) as stream:
        assert stream.take("missed").id == missed
    missed_json = fetch(front.address, "/events?topic=a", headers={"Accept": "application/json", "Last-Event-ID": cursor}).json
    assert [event["id"] for event in missed_json["events"]] == [missed]
    front.streamer.stop()
    assert fetch(front.address, "/events/cursor?topic=a").status in (502, 503)


def test_busy_for_others_stays_a_503_with_retry_after(front, place):
    front.streamer.stop()
    front.streamer.settings["max_connections"] = 1
    front.streamer.start()
    place.open_to_the_web_server(place.streamer_socket)
    with Stream(front.address, "/events?topic=a") as stream:
        stream.opened()
        answer = fetch(front.address, "/events?topic=a", headers={"Accept": "*/*"})
        assert answer.status == 503
        assert "retry-after" in answer.headers and b"connection limit" in answer.body


def test_the_client_behind_the_front_is_who_connected_to_it_whatever_it_claims(front, place):
    front.streamer.stop()
    front.streamer.settings.update(max_connections_per_ip=1, trusted_proxies="unix")
    front.streamer.start()
    place.open_to_the_web_server(place.streamer_socket)
    with Stream(front.address, "/events?topic=a", headers={"X-Forwarded-For": "203.0.113.9"}) as stream:
        stream.opened()
        busy = fetch(front.address, "/events?topic=a", headers={**STREAM, "X-Forwarded-For": "203.0.113.8"})
        assert b"Connection limit of your address" in busy.body


def test_with_the_streamer_stopped_a_stream_is_told_to_come_back(front):
    front.streamer.stop()
    retries = set()
    for _ in range(12):
        answer = fetch(front.address, "/events?topic=a", headers=STREAM)
        assert answer.status == 200, answer.raw
        assert answer.headers["content-type"].startswith("text/event-stream")
        block = answer.body.split(b"\n")
        assert re.fullmatch(rb"retry: \d+", block[0])
        assert block[1:] == [b"event: sse.busy", b'data: {"detail":"The event stream is restarting"}', b"", b""]
        retries.add(int(block[0][7:]))
        assert "access-control-allow-origin" not in answer.headers
    assert min(retries) >= 5000 and max(retries) <= 30000
    assert len(retries) > 1


def test_with_the_streamer_stopped_any_accept_and_any_origin_is_served(front):
    front.streamer.stop()
    answer = fetch(front.address, "/events?topic=a", headers={"Accept": "*/*", "Origin": "https://any.example"})
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://any.example"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "Origin" in answer.headers["vary"]


def test_with_the_streamer_stopped_health_is_no_200(front):
    front.streamer.stop()
    assert fetch(front.address, "/health").status in (500, 502, 503, 504)


def test_a_listener_that_leaves_is_noticed_while_events_flow(front, bus):
    with Stream(front.address, "/events?topic=a") as stream:
        stream.opened()
    wait_until(lambda: publish(bus, "a") and front.streamer.metrics()["connections"]["current"] == 0)


def test_a_restarted_streamer_is_found_again(front, place, bus):
    front.streamer.stop(how=9)
    assert b"sse.busy" in fetch(front.address, "/events?topic=a", headers=STREAM).body
    front.streamer.start()
    place.open_to_the_web_server(place.streamer_socket)

    def opened():
        with Stream(front.address, "/events?topic=a") as stream:
            block = stream.block()
            return block.event is None or block.event == "sse.open"
    wait_until(opened)


def test_an_nginx_that_runs_out_of_connections_tells_a_stream_to_come_back(place, processes, redis, streamer_program):
    streamer = Streamer(streamer_program, processes, redis.url, place.folder, address=place.streamer_socket).start()
    place.open_to_the_web_server(place.streamer_socket)
    nginx = FRONTS["nginx"](place, processes)
    nginx.connections = 21  # an odd number is left for streams of two connections: the last one finds no upstream
    nginx.start()
    streams = []
    while True:
        stream = Stream(nginx.address, "/events?topic=a")
        assert stream.head.status == 200, stream.head.raw
        streams.append(stream)
        if any(stream.block().event == "sse.busy" for _ in range(2)):
            break
        assert len(streams) < 20
    for stream in streams:
        stream.close()
    assert len(streams) > 3
    streamer.stop()

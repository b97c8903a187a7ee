"""For who can't hold a stream: the present cursor, and what was missed as one JSON answer."""
import signal

import pytest

from http_raw import Answer, Stream, connect, read_all, request_bytes
from redis_script import number
from resuming import replayed, start, streamer  # noqa: F401
from streamer_program import publish
from support import wait_until


def test_the_present_cursor_closes_the_gap_between_page_and_stream(streamer, bus):
    publish(bus, "a")
    answer = streamer.get("/events/cursor?topic=a,b")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    cursor = answer.json["cursor"]
    missed = publish(bus, "b")
    with Stream(streamer.address, f"/events?topic=a,b&last_event_id={cursor}") as stream:
        opened, events, _ = replayed(stream)
        assert opened.json["resumed"] is True and [event_id for _, event_id in events] == [missed]
    head = streamer.get("/events?topic=a,b", method="HEAD")
    assert head.status == 200 and number(head.headers["x-sse-cursor"]) >= number(missed)
    assert head.headers["content-type"].startswith("text/event-stream") and head.body == b""


JSON = {"Accept": "application/json"}


class Waiting:
    """A request whose answer is read later."""

    def __init__(self, streamer, target):
        self.socket = connect(streamer.address)
        self.socket.sendall(request_bytes(target, headers=JSON))

    def answer(self):
        return Answer(read_all(self.socket))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def poll(streamer, target, cursor=None, **options):
    headers = {**JSON, **({"Last-Event-ID": cursor} if cursor else {})}
    return streamer.get(target, headers=headers, **options)


def test_what_was_missed_comes_as_json_too(streamer, bus):
    cursor = publish(bus, "a")
    one = publish(bus, "a", name="one", data='{"n": 1.0}')
    two = publish(bus, "b", name="two", data='"line\\nbreak \\"q\\""')
    answer = poll(streamer, "/events?topic=a,b", cursor)
    assert answer.status == 200 and answer.headers["cache-control"] == "no-store"
    after = answer.json
    assert after["events"] == [{"event": "one", "data": '{"n": 1.0}', "id": one},
                               {"event": "two", "data": 'line\nbreak "q"', "id": two}]
    assert (after["topics"], after["resumed"], after["reset"], after["more"]) == (["a", "b"], True, [], False)
    assert number(after["cursor"]) >= number(two)
    again = poll(streamer, "/events?topic=a,b", after["cursor"]).json
    assert again["events"] == [] and number(again["cursor"]) >= number(after["cursor"])


def test_json_names_what_is_to_be_fetched_anew(streamer, bus):
    cursor = publish(bus, "a")
    for _ in range(3):
        publish(bus, "b", history_size=1)
    answer = poll(streamer, "/events?topic=a,b", cursor).json
    assert (answer["reset"], answer["reason"], answer["events"]) == (["b"], "trimmed", [])


def test_json_without_a_cursor_gives_one(streamer, bus):
    publish(bus, "a")
    answer = poll(streamer, "/events?topic=a").json
    assert answer["events"] == [] and answer["resumed"] is False
    missed = publish(bus, "a")
    assert [e["id"] for e in poll(streamer, "/events?topic=a", answer["cursor"]).json["events"]] == [missed]


def test_json_of_more_than_fits_into_one_answer_is_taken_in_pieces(streamer, bus):
    cursor = publish(bus, "a")
    bus.call("CONFIG", "SET", "appendfsync", "no")
    missed, seen, answers = [publish(bus, "a", history_size=10000) for _ in range(2500)], [], 0
    while True:
        answer = poll(streamer, "/events?topic=a", cursor).json
        seen += [event["id"] for event in answer["events"]]
        cursor, answers = answer["cursor"], answers + 1
        if not answer["more"]:
            break
    assert seen == missed and answers == 3


def test_json_is_held_until_something_comes(streamer, bus):
    cursor = poll(streamer, "/events?topic=a").json["cursor"]
    with Waiting(streamer, f"/events?topic=a&wait=60&last_event_id={cursor}") as waiting:
        wait_until(lambda: streamer.metrics()["connections"]["current"] == 1)
        event = publish(bus, "a")
        assert [e["id"] for e in waiting.answer().json["events"]] == [event]


def test_json_that_nothing_came_for_is_answered_in_time(streamer):
    answer = poll(streamer, "/events?topic=a&wait=1")
    assert answer.status == 200 and answer.json["events"] == []


@pytest.mark.parametrize("wait", ["-1", "x", "301", "", "1.5"])
def test_a_wait_that_is_none_is_400(streamer, wait):
    assert poll(streamer, f"/events?topic=a&wait={wait}").status == 400


def test_json_is_busy_when_the_streamer_stops(streamer):
    with Waiting(streamer, "/events?topic=a&wait=60") as waiting:
        wait_until(lambda: streamer.metrics()["connections"]["current"] == 1)
        streamer.process.send_signal(signal.SIGTERM)
        assert waiting.answer().status == 503

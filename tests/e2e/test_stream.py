"""The stream itself: what a listener is sent, and in which form."""
import json
import re

import pytest

from http_raw import Stream
from streamer_program import Streamer, publish
from support import wait_until


@pytest.fixture
def streamer(streamer_program, processes, redis, tmp):
    return Streamer(streamer_program, processes, redis.url, tmp).start()


def number(event_id):
    ms, n = event_id.split("-")
    return int(ms), int(n)


def test_a_listener_gets_retry_then_open_then_each_event_as_the_contract_writes_it(streamer, bus):
    with streamer.open("a,b") as stream:
        assert stream.head.status == 200
        assert stream.head.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.head.headers["cache-control"] == "no-cache, no-transform"
        assert stream.head.headers["x-accel-buffering"] == "no"
        assert stream.head.headers["connection"] == "close"
        assert re.fullmatch(rb"retry: \d+", stream.block().text)
        opened = stream.block()
        assert opened.event == "sse.open"
        assert opened.json == {"topics": ["a", "b"], "resumed": False, "replayed": 0, "reset": []}
        one = publish(bus, "a", name="comment_created", data='{"comment_id":"456"}')
        assert stream.block().text == (
            b'event: comment_created\ndata: {"comment_id":"456"}\nid: ' + one.encode())
        assert number(opened.id) < number(one)


def test_the_position_of_open_is_above_all_earlier_and_below_all_later_events(streamer, bus):
    before = publish(bus, "a")
    with streamer.open("a") as stream:
        position = stream.opened().id
        after = publish(bus, "a")
        assert number(before) <= number(position) < number(after)
        assert stream.take("x").id == after


def test_every_retry_is_jittered_around_retry_ms(streamer):
    seen = set()
    for _ in range(30):
        with streamer.open("a") as stream:
            seen.add(int(stream.block().retry))
    assert min(seen) >= 2400 and max(seen) <= 3600
    assert len(seen) > 10


def test_an_event_for_several_topics_comes_once_to_a_listener_of_several(streamer, bus):
    with streamer.live("a,b,c") as stream:
        first = publish(bus, "a", "b", "c", name="x")
        second = publish(bus, "b", name="end")
        assert stream.take("x").id == first
        assert stream.take("end").id == second


def test_topic_may_repeat_hold_commas_and_blanks_and_doubles_are_merged(streamer):
    with Stream(streamer.address, "/events?topic=a,%20b,,a&topic=%09c%20,b") as stream:
        assert stream.opened().json["topics"] == ["a", "b", "c"]


def test_post_takes_json_and_forms_and_joins_the_topics_of_the_query(streamer):
    body = json.dumps({"topics": ["b", "c"], "last_event_id": "1-0"}).encode()
    with Stream(streamer.address, "/events?topic=a", "POST", {"Content-Type": "application/json"}, body) as stream:
        opened = stream.opened()
        assert opened.json["topics"] == ["a", "b", "c"]
        assert opened.json["reset"] == ["a", "b", "c"]
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    with Stream(streamer.address, "/events", "POST", form, b"topic=a%2Cb&topic=c") as stream:
        assert stream.opened().json["topics"] == ["a", "b", "c"]


def test_http_1_0_is_served_too(streamer, bus):
    with streamer.open("a", version="1.0", headers={"Host": None}) as stream:
        stream.opened()
        publish(bus, "a")
        stream.take("x")


@pytest.mark.parametrize("how", ["header", "last_event_id", "lastEventId", "lastEventID", "Last-Event-ID"])
def test_a_cursor_of_before_this_redis_is_reset_wherever_it_stands(streamer, bus, how):
    old = publish(bus, "a")
    target = "/events?topic=a,b" + ("" if how == "header" else f"&{how}=1-0")
    headers = {"Last-Event-ID": "1-0"} if how == "header" else {}
    with Stream(streamer.address, target, headers=headers) as stream:
        opened = stream.opened()
        assert opened.json == {"topics": ["a", "b"], "resumed": False, "replayed": 0, "reset": ["a", "b"]}
        assert opened.id == "1-0"
        reset = stream.block()
        assert (reset.event, reset.id) == ("sse.reset", None)
        assert reset.json == {"topics": ["a", "b"], "reason": "redis_lost"}
        position = stream.block()
        assert number(position.id) >= number(old) and position.data is None
        publish(bus, "b")
        stream.take("x")


@pytest.mark.parametrize("cursor", ["", "x", "1", "-1-0", "1-", "1a2b3c4d-1760000000000-7", "9" * 5000])
def test_a_cursor_of_another_form_counts_as_none(streamer, cursor):
    with streamer.open("a", headers={"Last-Event-ID": cursor}) as stream:
        assert stream.opened().json["reset"] == []


def test_only_the_events_asked_for_are_delivered(streamer, bus):
    with Stream(streamer.address, "/events?topic=a&events=x,end") as stream:
        stream.opened()
        publish(bus, "a", name="y")
        publish(bus, "a", name="x")
        publish(bus, "a", name="z")
        publish(bus, "a", name="end")
        assert [block.event for block in stream.events_until("end")] == ["x"]


def test_a_message_of_the_python_library_is_delivered_with_event_and_data(streamer, bus):
    with streamer.live("comments") as stream:
        bus.call("PUBLISH", "comments",
                 '{"event":"comment_created","data":{"comment_id": "456", "n": 18446744073709551616},'
                 '"id":"1a2b3c4d-1760000000000-7"}')
        block = stream.block()
        assert block.text == b'event: comment_created\ndata: {"comment_id": "456", "n": 18446744073709551616}'


def test_a_subscriber_of_the_python_library_reads_ours(streamer, redis, bus):
    with redis.connect() as library:
        library.call("SUBSCRIBE", "comments")
        published = publish(bus, "comments", name="comment_created", data='{"id":1}')
        message = json.loads(library.receive()[2])
        assert list(message)[:3] == ["event", "data", "id"]
        assert message["event"] == "comment_created"
        assert message["data"] == {"id": 1}
        assert message["id"] == published


def test_a_foreign_message_never_moves_the_cursor_and_never_hides_ours(streamer, bus):
    with streamer.live("a") as stream:
        bus.call("PUBLISH", "a", '{"event":"spoof","data":1,"id":"9999999999999-0"}')
        bus.call("PUBLISH", "a", '{"event":"spoof","data":2,"id":"9999999999999-0","prev":"0-0"}')
        published = publish(bus, "a")
        assert stream.block().text == b"event: spoof\ndata: 1"
        assert stream.block().text == b"event: spoof\ndata: 2"
        assert stream.block().id == published


def test_a_copy_of_an_event_is_dropped_and_counted(streamer, redis, bus):
    with redis.connect() as tap, streamer.live("a") as stream:
        tap.call("SUBSCRIBE", "a")
        publish(bus, "a")
        message = tap.receive()[2]
        bus.call("PUBLISH", "a", message)
        last = publish(bus, "a", name="end")
        assert len(stream.events_until("end")) == 1
        assert streamer.prometheus()["sse_messages_copies"] == 1
        assert last


@pytest.mark.parametrize("message", [
    b"", b"hello", b"[]", b'{"data":1}', b'{"event":1,"data":1}', b'{"event":"","data":1}',
    b'{"event":"a\\nid: 1","data":1}', b'{"event":"a\\r","data":1}', b'{"event":"sse.open","data":{}}',
    b'{"event":"x","data":1', b"{'event':'x'}", b'{"event":"x","data":"\xff"}', b'{"event":"' + b"n" * 129 + b'"}',
    b'{"event":"x","data":' + b"[" * 100 + b"]" * 100 + b"}", b'{"event":"x","data":"' + b"y" * 70000 + b'"}',
])
def test_a_message_that_is_no_event_is_counted_and_passed_over(streamer, bus, message):
    with streamer.live("a") as stream:
        bus.call("PUBLISH", "a", message)
        publish(bus, "a", name="end")
        assert stream.events_until("end") == []
        assert streamer.metrics()["messages"]["publish_errors"] == 1


def test_line_breaks_in_data_arrive_as_lf_and_inject_no_field(streamer, bus):
    with streamer.live("a") as stream:
        publish(bus, "a", data=json.dumps("one\nid: 7\r\nevent: fake\rend\n"))
        block = stream.block()
        assert block.text.split(b"\n")[:-1] == [
            b"event: x", b"data: one", b"data: id: 7", b"data: event: fake", b"data: end", b"data: "]
        assert block.data == b"one\nid: 7\nevent: fake\nend\n"


def test_the_prefix_of_topics_stands_on_the_channel_and_nowhere_else(streamer_program, processes, redis, tmp, bus):
    streamer = Streamer(streamer_program, processes, redis.url, tmp, topic_prefix="shop:eu").start()
    with streamer.open("a") as stream:
        assert stream.opened().json["topics"] == ["a"]
        bus.call("PUBLISH", "a", '{"event":"wrong","data":{}}')
        bus.call("PUBLISH", "shop:eu:a", '{"event":"right","data":{}}')
        assert stream.block().event == "right"
        assert bus.call("HEXISTS", "shop:eu:sse:state", "last") == 1


@pytest.mark.parametrize("form,block", [("comment", rb": ping"), ("event", rb'event: ping\ndata: \{"timestamp":\d{10}\}')])
def test_a_quiet_stream_is_kept_alive_in_the_form_that_is_set(streamer_program, processes, redis, tmp, form, block):
    streamer = Streamer(streamer_program, processes, redis.url, tmp, heartbeat=form, heartbeat_seconds=5).start()
    with streamer.live("a") as stream:
        beats = 0
        while beats < 2:
            text = stream.block(timeout=8).text
            beats += bool(re.fullmatch(block, text))
            assert re.fullmatch(block, text) or re.fullmatch(rb"id: \d+-\d+", text), text


def test_many_topics_on_one_connection_share_one_connection_to_redis(streamer, redis, bus):
    topics = [f"t{i}" for i in range(64)]
    with streamer.live(",".join(topics)) as stream:
        for topic in topics:
            publish(bus, topic, name="x", data=json.dumps(topic))
        assert [stream.take("x").data.decode() for _ in topics] == topics
        clients = [line for line in redis.call("CLIENT", "LIST").decode().splitlines() if "cmd=client" not in line]
        assert len(clients) <= 3  # subscriber, asker, and the one that publishes here


def test_a_leaving_listener_leaves_the_others_of_its_topics_listening(streamer, bus):
    with streamer.live("a,b") as staying, streamer.live("a") as leaving:
        leaving.close()
        wait_until(lambda: streamer.metrics()["connections"]["current"] == 1)
        publish(bus, "a")
        publish(bus, "b", name="y")
        staying.take("x")
        staying.take("y")


def test_a_topic_lingers_at_redis_after_its_last_listener_and_then_goes(streamer, bus):
    with streamer.live("a"):
        pass
    wait_until(lambda: streamer.metrics()["connections"]["current"] == 0)
    assert bus.call("PUBSUB", "NUMSUB", "a")[1] == 1
    with streamer.live("a") as again:
        publish(bus, "a")
        again.take("x")
    wait_until(lambda: bus.call("PUBSUB", "NUMSUB", "a")[1] == 0, timeout=12, what="the topic is unsubscribed")


def test_a_unix_socket_listens_beside_tcp_and_a_stale_one_is_replaced(streamer_program, processes, redis, tmp, bus):
    path = f"{tmp}/s.sock"
    first = Streamer(streamer_program, processes, redis.url, tmp, address=path).start()
    first.stop(how=9)
    second = Streamer(streamer_program, processes, redis.url, tmp, address=path).start()
    with second.live("a") as stream:
        publish(bus, "a")
        stream.take("x")


def test_bytes_behind_the_request_are_never_parsed(streamer, bus):
    with streamer.live("a") as stream:
        stream.socket.sendall(b"GET /events?topic=b HTTP/1.1\r\nHost: x\r\n\r\n")
        publish(bus, "b", name="other")
        publish(bus, "a")
        stream.take("x")


def test_a_flood_behind_the_request_ends_the_connection(streamer):
    with streamer.live("a") as stream:
        try:
            for _ in range(64):
                stream.socket.sendall(b"x" * 16384)
        except OSError:
            pass
        stream.wait_closed()
    wait_until(lambda: streamer.prometheus()['sse_connections_closed{reason="noisy"}'] == 1)

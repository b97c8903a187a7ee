"""Control messages, as they come over Redis: streams end, are asked about anew, or lose topics for a time
(docs/PROTOCOL.md). How an application sends them is test_publish_control.py's."""
import json
import signal
import socket
import threading

import pytest

from auth_backend import Connecting, reply
from http_raw import fetch, request_bytes
from slow_client import Reader
from streamer_program import Streamer, publish
from support import wait_until
from test_live_auth import rest_of
from tickets import SECRET, claims, sign

CHANNEL = "sse:control"


@pytest.fixture
def start(start_asking, backend):
    """The backend says that a listener is whom its cookie `s` names."""
    backend.allowed = {}

    def answer(call):
        user = call["headers"].get("cookie", "s=").partition("=")[2]
        status = backend.allowed.get((user, call["topic"]), 204)
        return reply(status, headers={"X-SSE-User": user, **getattr(backend, "more", {})})
    backend.answer = answer
    return start_asking


def as_user(user):
    return {"Cookie": f"s={user}"}


def say(bus, channel=CHANNEL, **message):
    return bus.call("PUBLISH", channel, json.dumps(message))


def counter(streamer, name):
    return streamer.prometheus()[name]


def over(stream):
    """The topics that the last sse.revoked of a stream named; it ends with that."""
    *before, last = rest_of(stream)
    assert last.event == "sse.revoked" and last.retry is not None and not before
    return last.json["topics"]


class Patient:
    """A stream that is waited for longer: half a minute is what all who may have missed a message are asked about within."""

    def __init__(self, stream):
        self.stream = stream

    def block(self):
        return self.stream.block(timeout=40)


def hears(stream, bus, topic):
    at = publish(bus, topic)
    return stream.take("x").id == at


def lines(streamer, what):
    return [line.partition(what + ": ")[2] for line in streamer.log().splitlines() if what in line]


# ---- disconnect ----

@pytest.mark.parametrize("who", [{"user": "42"}, {"topic": "a"}, {"topic": "a*"}, {"topic": "*"}, {"all": True},
                                 {"user": "42", "topic": "b"}])
def test_whom_a_disconnect_means_is_told_and_ends(start, bus, who):
    streamer = start()
    with streamer.live("a,b", headers=as_user("42")) as meant, streamer.live("c", headers=as_user("7")) as other:
        say(bus, disconnect=who)
        assert over(meant) == ["a", "b"]
        if who in ({"topic": "*"}, {"all": True}):
            assert over(other) == ["c"]
        else:
            assert hears(other, bus, "c")
        streamer.live("a", headers=as_user("42")).close()


@pytest.mark.parametrize("who", [{"user": "4"}, {"user": "421"}, {"topic": "A"}, {"topic": "aa"}, {"topic": "c*"},
                                 {"user": "42", "topic": "c"}, {"user": "7", "topic": "a"}])
def test_whom_a_disconnect_does_not_mean_goes_on(start, bus, who):
    streamer = start()
    with streamer.live("a,b", headers=as_user("42")) as stream:
        say(bus, disconnect=who)
        wait_until(lambda: counter(streamer, "sse_controls") == 1)
        assert hears(stream, bus, "a")


@pytest.mark.parametrize("text", ["", "{}", "[]", "x", '{"disconnect":{}}', '{"disconnect":{"user":"42","x":1}}',
                                  '{"disconnect":{"users":"42"}}', '{"kick":{"user":"42"}}', '{"disconnect":{"user":42}}',
                                  '{"disconnect":{"user":"42"},"recheck":{"user":"42"}}', '{"disconnect":{"all":false}}',
                                  '{"disconnect":{"user":"42","all":true}}', '{"revoke":{"user":"42"}}',
                                  '{"revoke":{"user":"42","seconds":-1}}', '{"disconnect":{"user":"4\\u0000"}}'])
def test_what_cannot_be_read_does_nothing_and_is_logged(start, bus, text):
    streamer = start()
    with streamer.live("a", headers=as_user("42")) as stream:
        bus.call("PUBLISH", CHANNEL, text)
        assert hears(stream, bus, "a")
        assert counter(streamer, "sse_publish_errors") == 1 and counter(streamer, "sse_controls") == 0
        assert "a control message can't be obeyed" in streamer.log()


def test_a_disconnected_user_does_not_come_back_by_a_verdict_from_before(start, backend, bus):
    backend.more = {"Cache-Control": "max-age=3600"}
    streamer = start()
    with streamer.live("a", headers=as_user("42")) as stream:
        with streamer.live("a", headers=as_user("42")):
            assert len(backend.calls) == 1
        backend.allowed["42", "a"] = 403
        say(bus, disconnect={"user": "42"})
        over(stream)
    assert streamer.get("/events?topic=a", headers=as_user("42")).status == 403


def test_a_verdict_that_was_under_way_when_its_user_was_disconnected_is_asked_for_again(start, backend, bus):
    go, held = threading.Event(), []
    answer = backend.answer

    def hold(call):
        held.append(call)
        if len(held) > 1:
            return reply(403)
        return answer(call) if go.wait(20) else None
    backend.answer = hold
    streamer = start()
    waiting = Connecting(streamer, "a", cookie="42")
    wait_until(lambda: held)
    say(bus, disconnect={"user": "42"})
    wait_until(lambda: counter(streamer, "sse_controls") == 1)
    go.set()
    assert waiting.socket.recv(15) == b"HTTP/1.1 403 Fo"
    assert len(held) == 2


def test_whoever_is_thrown_out_is_a_line_of_the_log_and_counted(start, bus):
    streamer = start()
    with streamer.live("a,b", headers=as_user("42")) as stream, streamer.live("c", headers=as_user("7")) as other:
        say(bus, revoke={"topic": "*", "user": "7", "seconds": 60})
        say(bus, disconnect={"topic": "b"})
        over(stream), over(other)
    assert lines(streamer, "refused (revoked)") == ['client 127.0.0.1, topic "c", user "7"']
    assert lines(streamer, "refused (disconnected)") == ['client 127.0.0.1, user "42"']
    assert counter(streamer, 'sse_refusals{reason="disconnected"}') == counter(streamer, 'sse_refusals{reason="revoked"}') == 1


def test_a_disconnect_that_came_while_redis_was_away_makes_what_was_said_before_not_count(start, backend, bus, redis):
    backend.more = {"Cache-Control": "max-age=3600"}
    streamer = start()
    with streamer.live("a", headers=as_user("42")) as stream:
        backend.allowed["42", "a"] = 403
        streamer.signal_workers(signal.SIGSTOP)
        bus.call("CLIENT", "KILL", "TYPE", "pubsub")
        assert say(bus, disconnect={"user": "42"}) == 0
        streamer.signal_workers(signal.SIGCONT)
        wait_until(lambda: streamer.metrics()["redis"]["reconnects"] == 1 and fetch(streamer.admin, "/health/ready").status == 200)
        wait_until(lambda: streamer.get("/events?topic=a", method="HEAD", headers=as_user("42")).status == 403)
        assert over(Patient(stream)) == ["a"]


def test_a_message_with_an_id_is_obeyed_once(start, bus):
    streamer = start()
    message = {"disconnect": {"user": "42"}, "id": "one"}
    with streamer.live("a", headers=as_user("42")) as first:
        say(bus, **message)
        over(first)
    with streamer.live("a", headers=as_user("42")) as again:
        say(bus, **message)
        assert hears(again, bus, "a")
        say(bus, **{**message, "id": "two"})
        over(again)
    assert counter(streamer, "sse_controls") == 2


def test_the_channel_has_the_prefix_of_the_topics(start, bus):
    streamer = start(topic_prefix="app")
    with streamer.live("a", headers=as_user("42")) as stream:
        assert say(bus, disconnect={"user": "42"}) == 0
        assert say(bus, channel="app:sse:control", disconnect={"user": "42"}) == 1
        over(stream)


def test_nobody_can_listen_to_the_control_channel(start):
    assert start().get("/events?topic=sse:control").status == 400


def test_many_who_are_disconnected_at_once_are_told_to_come_back_one_after_the_other(start, bus):
    streamer = start(retry_ms=100)
    streams = [streamer.live("a", headers=as_user("42")) for _ in range(300)]
    say(bus, disconnect={"topic": "a"})
    retries = [int(rest_of(stream)[-1].retry) for stream in streams]
    assert min(retries) < 150 and max(retries) > 200
    for stream in streams:
        stream.close()


# ---- recheck ----

def test_a_recheck_asks_anew_and_takes_what_is_denied_now(start, backend, bus):
    backend.more = {"Cache-Control": "max-age=3600"}
    streamer = start()
    with streamer.live("a,b", headers=as_user("42")) as stream, streamer.live("a", headers=as_user("7")) as other:
        asked = len(backend.calls)
        backend.allowed["42", "b"] = 403
        say(bus, recheck={"user": "42"})
        assert stream.take("sse.revoked").json == {"topics": ["b"]}
        assert hears(stream, bus, "a") and other.take("x")
        assert [call["headers"]["cookie"] for call in backend.calls[asked:]] == ["s=42"] * 2


def test_a_recheck_while_one_is_under_way_hears_no_answer_from_before(start, backend, bus):
    go, late = threading.Event(), []
    answer = backend.answer
    streamer = start()
    with streamer.live("a", headers=as_user("42")) as stream:
        def hold(call):
            late.append(call)
            return answer(call) if len(late) > 1 or go.wait(20) else None
        backend.answer = hold
        say(bus, recheck={"user": "42"})
        wait_until(lambda: late)
        backend.allowed["42", "a"] = 403
        say(bus, recheck={"topic": "a"})
        assert over(stream) == ["a"]
        go.set()


def test_a_recheck_of_all_leaves_room_in_the_line_for_who_comes_in(start, backend, bus):
    go = threading.Event()
    answer = backend.answer
    streamer = start(auth_max_inflight=1, auth_max_waiting=10)
    streams = [streamer.live("a", headers=as_user(f"u{n}")) for n in range(40)]
    backend.answer = lambda call: answer(call) if go.wait(20) else None
    say(bus, recheck={"all": True})
    wait_until(lambda: 5 <= counter(streamer, "sse_auth_waiting") <= 8)
    newcomer = Connecting(streamer, "a", cookie="new")
    wait_until(lambda: counter(streamer, "sse_auth_waiting") >= 6)
    asked = len(backend.calls)
    go.set()
    newcomer.result().close()
    wait_until(lambda: len(backend.calls) >= asked + 40, timeout=30)
    at = publish(bus, "a")
    for stream in streams:
        assert stream.take("x").id == at
        stream.close()


# ---- revoke ----

def test_a_revocation_takes_the_topic_at_once_and_keeps_the_user_out_until_it_is_lifted(start, bus):
    streamer = start()
    with streamer.live("a,b", headers=as_user("42")) as stream, streamer.live("a", headers=as_user("7")) as other:
        say(bus, revoke={"user": "42", "topic": "a", "seconds": 3600})
        publish(bus, "a", data="1")
        publish(bus, "b", data="2")
        assert stream.take("sse.revoked").json == {"topics": ["a"]}
        assert stream.take("x").data == b"2" and other.take("x").data == b"1"
        assert streamer.get("/events?topic=b,a", headers=as_user("42")).status == 403
        assert streamer.get("/events?topic=b", method="HEAD", headers=as_user("42")).status == 200
        assert lines(streamer, "refused (revoked)") == ['client 127.0.0.1, topic "a", user "42"'] * 2
        assert counter(streamer, 'sse_refusals{reason="revoked"}') == 2
        say(bus, revoke={"user": "42", "topic": "a", "seconds": 0})
        wait_until(lambda: counter(streamer, "sse_revocations") == 0)
        streamer.live("a", headers=as_user("42")).close()


def test_a_revocation_ends_when_its_time_is_over(start, bus):
    streamer = start()
    say(bus, revoke={"user": "42", "seconds": 4})
    wait_until(lambda: counter(streamer, "sse_controls") == 1)
    assert streamer.get("/events?topic=a", method="HEAD", headers=as_user("42")).status == 403
    wait_until(lambda: streamer.get("/events?topic=a", method="HEAD", headers=as_user("42")).status == 200)


def test_who_waits_for_a_verdict_when_revoked_is_not_let_in_by_it(start, backend, bus):
    go = threading.Event()
    answer = backend.answer
    backend.answer = lambda call: answer(call) if go.wait(20) else None
    streamer = start()
    waiting = Connecting(streamer, "a", cookie="42")
    wait_until(lambda: backend.calls)
    say(bus, revoke={"user": "42", "seconds": 3600})
    wait_until(lambda: counter(streamer, "sse_controls") == 1)
    go.set()
    assert waiting.socket.recv(15) == b"HTTP/1.1 403 Fo"


def test_a_held_answer_in_json_ends_when_its_topic_is_revoked(start, bus):
    streamer = start()
    cursor = streamer.get("/events/cursor?topic=a", headers=as_user("42")).json["cursor"]
    got = []
    poll = threading.Thread(target=lambda: got.append(streamer.get(
        f"/events?topic=a&wait=25&last_event_id={cursor}", headers={**as_user("42"), "Accept": "application/json"})))
    poll.start()
    wait_until(lambda: counter(streamer, "sse_connections_current") == 1)
    say(bus, revoke={"user": "42", "seconds": 3600})
    poll.join(10)
    assert got and got[0].status == 403 and got[0].json == {"detail": "Not authorized to access topic: a"}


@pytest.mark.parametrize("who,status", [({"user": "42"}, 403), ({"topic": "a"}, 403), ({"user": "7"}, 200)])
def test_a_ticket_does_not_get_past_a_revocation(streamer_program, processes, redis, tmp, bus, who, status):
    keys = f"{tmp}/keys"
    with open(keys, "w", encoding="utf-8") as file:
        file.write(f"main HS256 {SECRET}\n")
    streamer = Streamer(streamer_program, processes, redis.url, tmp, auth="ticket", ticket_keys_file=keys).start()
    bearer = {"Authorization": "Bearer " + sign(claims("*", sub="42"))}
    with streamer.live("a,b", headers=bearer) as stream:
        say(bus, revoke={**who, "seconds": 3600})
        wait_until(lambda: counter(streamer, "sse_controls") == 1)
        assert streamer.get("/events?topic=a", method="HEAD", headers=bearer).status == status
        if who == {"user": "42"}:
            assert over(stream) == ["a", "b"]
        else:
            assert hears(stream, bus, "b")


def test_a_public_topic_can_be_revoked_too(streamer_program, processes, redis, tmp, bus):
    streamer = Streamer(streamer_program, processes, redis.url, tmp).start()
    with streamer.live("a,b") as stream:
        say(bus, revoke={"topic": "a", "seconds": 3600})
        assert stream.take("sse.revoked").json == {"topics": ["a"]}
        assert streamer.get("/events?topic=a").status == 403
        assert hears(stream, bus, "b")


def test_a_stream_that_turns_out_to_be_a_revoked_users_loses_its_topics(start, backend, bus):
    answer, names = backend.answer, {"s=42": "guest"}
    backend.answer = lambda call: reply(204, headers={"X-SSE-User": names[call["headers"]["cookie"]]})
    streamer = start()
    say(bus, revoke={"user": "42", "seconds": 3600})
    with streamer.live("a", headers=as_user("42")) as stream:
        names["s=42"] = "42"
        say(bus, recheck={"user": "guest"})
        assert over(stream) == ["a"]
    assert lines(streamer, "refused (revoked)") == ['client 127.0.0.1, topic "a", user "42"']
    backend.answer = answer


def test_a_topic_that_is_revoked_while_a_long_replay_runs_brings_nothing_more_and_the_others_all(start, bus):
    streamer = start(history_size=1000)
    first = publish(bus, "a", history_size=1000)
    ids = {"a": [], "b": []}
    for n in range(400):
        topic = "ab"[n % 2]
        ids[topic].append(publish(bus, topic, data=json.dumps("x" * 4000), history_size=1000))
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(10)
    slow.connect(streamer.address)
    slow.sendall(request_bytes("/events?topic=a,b", headers={**as_user("42"), "Last-Event-ID": first}))
    reader = Reader(slow)
    while reader.block().id != ids["b"][20]:
        pass
    say(bus, revoke={"user": "42", "topic": "a", "seconds": 3600})
    wait_until(lambda: counter(streamer, "sse_controls") == 1)
    before, after, seen = [], [], None
    while not after or after[-1] != ids["b"][-1]:
        block = reader.block()
        if block.event == "sse.revoked":
            seen = block.json
        elif block.event == "x":
            (after if seen else before).append(block.id)
    assert seen == {"topics": ["a"]} and set(after).isdisjoint(ids["a"])
    assert len(before) < 350 and [id for id in before + after if id in ids["b"]] == ids["b"][21:]
    slow.close()


# ---- revocations that Redis keeps ----

def keep(bus, member, seconds=3600):
    """As control.lua of the publisher does."""
    now = int(bus.call("TIME")[0]) * 1000
    bus.call("ZADD", "sse:revoked", now + int(seconds * 1000), member)


def test_a_new_streamer_knows_what_is_in_force(start, bus):
    keep(bus, '+{"user":"42","topic":"a"}')
    keep(bus, '+{"user":"7"}', seconds=-5)
    keep(bus, '-{"user":"8"}')
    keep(bus, "nonsense")
    streamer = start()
    wait_until(lambda: counter(streamer, "sse_revocations") == 1)
    assert streamer.get("/events?topic=a", headers=as_user("42")).status == 403
    assert streamer.get("/events?topic=a", method="HEAD", headers=as_user("7")).status == 200
    assert streamer.get("/events?topic=a", method="HEAD", headers=as_user("8")).status == 200


def test_a_streamer_whose_redis_was_away_learns_what_was_revoked_meanwhile_before_anything_else(start, redis, bus):
    streamer = start()
    with streamer.live("a,b", headers=as_user("42")) as stream, streamer.live("a", headers=as_user("7")) as other:
        bus.call("CLIENT", "KILL", "TYPE", "pubsub")
        keep(bus, '+{"user":"42","topic":"a"}')
        publish(bus, "a", data="1")
        publish(bus, "b", data="2")
        assert other.take("x").data == b"1"
        seen = []
        while not seen or seen[-1].event != "x":
            block = stream.block()
            if block.event:
                seen.append(block)
        # what was published before the loss was found out may have come; nothing of a may come after it was told
        assert [block.event for block in seen if block.event != "sse.reset"] == ["sse.revoked", "x"]
        assert seen[-1].data == b"2"


def test_a_lift_that_came_while_redis_was_away_is_learnt_too(start, bus):
    streamer = start()
    say(bus, revoke={"user": "42", "seconds": 3600})
    wait_until(lambda: counter(streamer, "sse_revocations") == 1)
    keep(bus, '-{"user":"42"}')
    bus.call("CLIENT", "KILL", "TYPE", "pubsub")
    wait_until(lambda: counter(streamer, "sse_revocations") == 0)
    streamer.live("a", headers=as_user("42")).close()


def test_a_thousand_listeners_on_several_workers_hear_nothing_that_is_published_after_the_revocation(start, bus):
    streamer = start(workers=3, max_connections=3000)
    meant = [streamer.open("a,b", headers=as_user("42")) for _ in range(500)]
    others = [streamer.open("a", headers=as_user("7")) for _ in range(500)]
    for stream in meant + others:
        stream.opened()
    before = publish(bus, "a", data='"before"')
    assert say(bus, revoke={"user": "42", "topic": "a", "seconds": 3600}) == 3
    for n in range(20):
        publish(bus, "a", data=str(n))
    last = publish(bus, "b", data='"last"')
    for stream in meant:
        seen = []
        while not seen or seen[-1].id != last:
            block = stream.block()
            if block.event:
                seen.append(block)
        names = [block.event for block in seen]
        assert names in (["x", "sse.revoked", "x"], ["sse.revoked", "x"]) and seen[0].id in (before, None)
        stream.close()
    for stream in others:
        assert [stream.take("x").id for _ in range(21)][0] == before
        stream.close()
    statuses = {fetch(streamer.address, "/events?topic=a", headers=as_user("42")).status for _ in range(30)}
    assert statuses == {403}

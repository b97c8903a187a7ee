"""Rights that end while a stream flows: X-SSE-Expires, auth_recheck_seconds, sse.revoked (docs/PROTOCOL.md)."""
import threading
import time

import pytest

from auth_backend import Connecting, reply
from streamer_program import publish
from support import wait_until


@pytest.fixture
def start(start_asking):
    return start_asking


class Rights:
    """What the backend says of each topic: a status, or a whole answer; allowed where nothing is said."""

    def __init__(self, backend, **headers):
        self.of, self.headers, self.backend = {}, headers, backend
        backend.answer = self.answer

    def answer(self, call):
        said = self.of.get(call["topic"], 204)
        if not isinstance(said, int):
            return said
        return reply(said, headers={name.replace("_", "-"): value for name, value in self.headers.items()})

    def asked(self, topic):
        return sum(call["topic"] == topic for call in self.backend.calls)


def rest_of(stream):
    """What comes until the stream is over, but for comments and positions."""
    seen = []
    try:
        while True:
            block = stream.block()
            if block.event:
                seen.append(block)
    except EOFError:
        return seen


# ---- X-SSE-Expires ----

def test_a_stream_is_authorised_anew_when_its_answer_expires_and_goes_on(start, backend, bus):
    rights = Rights(backend, X_SSE_Expires="1")
    streamer = start()
    with streamer.live("a,b") as stream:
        wait_until(lambda: rights.asked("a") >= 3 and rights.asked("b") >= 3)
        at = publish(bus, "a")
        assert stream.take("x").id == at
    assert streamer.prometheus()["sse_topics_revoked"] == 0


def test_a_topic_that_is_denied_later_is_revoked_while_the_others_flow_on(start, backend, bus):
    rights = Rights(backend, X_SSE_Expires="1")
    streamer = start()
    with streamer.live("a,b,c") as stream:
        rights.of["b"] = 403
        assert stream.take("sse.revoked").json == {"topics": ["b"]}
        publish(bus, "b", data="1")
        publish(bus, "a", "b", data="2")
        assert stream.take("x").data == b"2"
        publish(bus, "c", data="3")
        assert stream.take("x").data == b"3"
        rights.of["a"] = rights.of["c"] = 401
        seen = [block.json["topics"] for block in rest_of(stream)]
        assert sorted(sum(seen, [])) == ["a", "c"]
    assert streamer.prometheus()['sse_refusals{reason="withdrawn"}'] == 3


def test_one_topic_alone_that_is_denied_later_ends_the_stream(start, backend):
    rights = Rights(backend, X_SSE_Expires="1", X_SSE_User="42")
    streamer = start()
    with streamer.live("a") as stream:
        rights.of["a"] = 403
        block = stream.take("sse.revoked")
        assert block.json == {"topics": ["a"]} and 2400 <= int(block.retry) <= 3600
        assert rest_of(stream) == []
    line, = [line for line in streamer.log().splitlines() if "refused (withdrawn)" in line]
    assert 'client 127.0.0.1, topic "a", user "42", auth_url answered 403 after' in line


def test_a_right_for_a_time_ends_with_it_when_nobody_answers(start, backend):
    rights = Rights(backend, X_SSE_Expires="1")
    streamer = start()
    with streamer.live("a") as stream:
        rights.of["a"] = 500
        block = stream.take("sse.busy")
        assert 5000 <= int(block.retry) <= 30000
        assert rest_of(stream) == []
    line, = [line for line in streamer.log().splitlines() if "refused (busy)" in line]
    assert "client 127.0.0.1, auth_url answered 500 after" in line
    assert streamer.prometheus()['sse_refusals{reason="busy"}'] == 1


def test_a_right_that_is_over_ends_though_the_line_of_the_backend_is_crowded(start, backend):
    """Others stand in it all the time."""
    go = threading.Event()
    rights = Rights(backend, X_SSE_Expires="1")
    streamer = start(auth_max_inflight=1, auth_max_waiting=4, auth_timeout_ms=1000)
    with streamer.live("a") as stream:
        backend.answer = lambda call: rights.answer(call) if go.wait(30) else None
        crowd = []

        def crowded():
            crowd.append(Connecting(streamer, "b", cookie=len(crowd)))
            return streamer.prometheus()["sse_auth_waiting"] >= 3
        wait_until(crowded)
        while True:  # each that gives up is followed by another
            crowded()
            block = stream.block(timeout=20)
            if block.event:
                break
        assert block.event == "sse.busy" and rest_of(stream) == []
        go.set()


def test_what_some_answers_say_counts_though_others_do_not_come(start, backend, bus):
    """The name is another one from then on."""
    user = ["guest"]

    def answer(call):
        return reply(500 if call["topic"] == "b" and user[0] == "42" else 204,
                     headers={"X-SSE-User": user[0], "X-SSE-Expires": "60"})
    backend.answer = answer
    streamer = start()
    with streamer.live("a,b") as stream:
        user[0] = "42"
        bus.call("PUBLISH", "sse:control", '{"recheck":{"user":"guest"}}')
        wait_until(lambda: streamer.prometheus()['sse_auth_calls{outcome="busy"}'] >= 1)
        bus.call("PUBLISH", "sse:control", '{"disconnect":{"user":"42"}}')
        assert stream.take("sse.revoked").json == {"topics": ["a", "b"]}


def test_an_answer_is_held_no_longer_than_the_right_to_it(start, backend):
    Rights(backend, X_SSE_Expires="2")
    streamer = start()
    cursor = streamer.get("/events/cursor?topic=a").json["cursor"]
    begun = time.monotonic()
    answer = streamer.get(f"/events?topic=a&wait=25&last_event_id={cursor}", headers={"Accept": "application/json"}, timeout=20)
    assert answer.status == 200 and answer.json["events"] == [] and time.monotonic() - begun < 15


@pytest.mark.parametrize("headers", [{"X-SSE-Expires": "soon"}, {"X-SSE-Expires": "-1"}, {"X-SSE-Expires": ""},
                                     {"X-SSE-Expires": "1" * 600}, {"X-SSE-User": "x" * 257}, {"X-SSE-User": "\xff"},
                                     {"X-SSE-User": "\x80"}, {"X-SSE-User": "x" * 600}])
def test_an_answer_that_says_whose_or_how_long_in_a_form_that_cannot_be_read_lets_nobody_in(start, backend, headers):
    backend.answer = lambda call: reply(204, headers=headers)
    streamer = start()
    assert streamer.get("/events?topic=a").status == 503
    assert "X-SSE-User" in streamer.log()


def test_a_verdict_is_not_used_again_beyond_its_expiry(start, backend):
    rights = Rights(backend, Cache_Control="max-age=3600", X_SSE_Expires="1")
    streamer = start()
    headers = {"Cookie": "s=1"}
    with streamer.live("a", headers=headers), streamer.live("a", headers=headers):
        assert rights.asked("a") == 1
        wait_until(lambda: rights.asked("a") >= 3)
    rights.of["a"] = 403
    wait_until(lambda: streamer.get("/events?topic=a", method="HEAD", headers=headers).status == 403)


# ---- auth_recheck_seconds ----

def test_streams_are_asked_about_again_and_again_and_not_together(start, backend):
    times = []
    rights = Rights(backend)

    def answer(call):
        times.append((call["headers"]["cookie"], time.monotonic()))
        return rights.answer(call)
    backend.answer = answer
    streamer = start(auth_recheck_seconds=5)
    streams = [streamer.live("a", headers={"Cookie": f"s={n}"}) for n in range(20)]
    began = {}
    for cookie, at in list(times):
        began.setdefault(cookie, at)
    wait_until(lambda: len(times) >= 40, timeout=20)
    second = {}
    for cookie, at in times[20:]:
        second.setdefault(cookie, at - began[cookie])
    assert len(second) == 20
    assert min(second.values()) > 2 and max(second.values()) < 8
    assert max(second.values()) - min(second.values()) > .5
    for stream in streams:
        stream.close()


def test_the_same_is_asked_as_at_first_but_for_the_id_of_the_request(start, backend):
    Rights(backend, X_SSE_Expires="1")
    streamer = start()
    headers = {"Cookie": "s=1", "Authorization": "Bearer x", "User-Agent": "me", "X-Request-Id": "77", "Origin": "http://a.b"}
    with streamer.open("a,b&x=1", headers=headers):
        wait_until(lambda: len(backend.calls) >= 4)
    first, again = ([call for call in backend.calls if call["topic"] == "a"][i] for i in (0, 1))
    assert first["headers"].pop("x-request-id") == "77" and "x-request-id" not in again["headers"]
    first.pop("head"), again.pop("head")
    assert first == again


def test_while_the_backend_is_down_a_stream_keeps_what_it_has(start, backend, bus):
    rights = Rights(backend)
    streamer = start(auth_recheck_seconds=5)
    with streamer.live("a") as stream:
        rights.of["a"] = 500
        wait_until(lambda: rights.asked("a") >= 2, timeout=15)
        at = publish(bus, "a")
        assert stream.take("x").id == at


def test_in_batch_mode_each_topic_has_its_own_verdict_later_too(start, backend, bus):
    lists = {"allow": ["a", "b"]}
    backend.answer = lambda call: reply(200, str(lists).replace("'", '"').encode(),
                                        {"X-SSE-Expires": "1", "X-SSE-User": "7"})
    streamer = start(auth_mode="batch")
    with streamer.live("a,b") as stream:
        lists.update(allow=["a"], deny=["b"])
        assert stream.take("sse.revoked").json == {"topics": ["b"]}
        publish(bus, "b", data="1")
        publish(bus, "a", data="2")
        assert stream.take("x").data == b"2"


def test_a_client_that_leaves_in_the_middle_of_a_recheck_takes_its_call_along(start, backend):
    late = threading.Event()
    rights = Rights(backend, X_SSE_Expires="1")
    streamer = start()
    with streamer.live("a"):
        backend.answer = lambda call: reply(403) if late.wait(20) else None
        wait_until(lambda: streamer.prometheus()["sse_auth_inflight"] == 1)
    wait_until(lambda: streamer.prometheus()["sse_auth_inflight"] == 0)
    late.set()
    backend.answer = rights.answer
    streamer.live("a").close()

"""auth_mode = batch: one call of the auth URL for all topics of a request (docs/PROTOCOL.md)."""
import json
import threading
from functools import partial

import pytest

from auth_backend import STREAM, Connecting, reply
from streamer_program import publish
from support import clean_environment, wait_until


@pytest.fixture
def backend(backend):
    backend.answer = lambda call: verdict(allow=asked(call))
    return backend


@pytest.fixture
def start(start_asking):
    return partial(start_asking, auth_mode="batch")


def asked(call):
    return json.loads(call["body"])["topics"]


def verdict(headers=None, status=200, **lists):
    return reply(status, json.dumps(lists).encode(), {"Content-Type": "application/json", **(headers or {})})


def refused(streamer, topics="a,b,c"):
    answer = streamer.get(f"/events?topic={topics}", headers={**STREAM, "Cookie": "s=1"})
    return answer.status, answer.json["detail"]


def test_all_topics_are_asked_about_at_once_with_the_listeners_credentials(start, backend, redis):
    with start().live("a,b/c~d,e", headers={"Cookie": "s=1", "X-Forwarded-For": "198.51.100.7"}) as stream:
        call, = backend.calls
        assert (call["method"], call["target"]) == ("POST", "/auth")
        assert call["body"] == b'{"topics":["a","b/c~d","e"]}'
        sent = call["headers"]
        assert sent["content-type"] == "application/json" and sent["cookie"] == "s=1"
        assert sent["x-original-uri"] == "/events?topic=a,b/c~d,e" and sent["x-original-method"] == "GET"
        assert sent["x-forwarded-for"] == "198.51.100.7" and "x-sse-topic" not in sent
        with redis.connect() as bus:
            publish(bus, "e")
        stream.take("x")


def test_a_backend_that_escapes_slashes_is_understood(start, backend):
    backend.answer = lambda call: reply(200, b'{"allow":["a\\/b","\\u0063"],"deny":[]}')
    with start().live("a/b,c"):
        pass


def test_the_first_denied_topic_in_request_order_decides(start, backend):
    backend.answer = lambda call: verdict(allow=["a"], deny=["c", "b"])
    assert refused(start()) == (403, "Not authorized to access topic: b")


def test_a_topic_in_both_lists_is_denied(start, backend):
    backend.answer = lambda call: verdict(allow=["a", "b", "c"], deny=["c"])
    assert refused(start()) == (403, "Not authorized to access topic: c")


@pytest.mark.parametrize("status", [401, 403])
def test_401_and_403_deny_all_with_their_words(start, backend, status):
    backend.answer = lambda call: verdict(status=status, detail="Sign in", allow=["a", "b", "c"])
    assert refused(start()) == (status, "Sign in")


@pytest.mark.parametrize("answer", [
    reply(204), reply(200, b"yes"), reply(200, b"[]"), reply(200, b"{}"), verdict(allow=["a", "b"]), verdict(allow="abc"),
    verdict(allow=["a", "b", "c"], deny=None), verdict(allow=["a", "b", "c", 1]), verdict(allow=["A", "b", "c"]),
    reply(200, b'{"allow":["a","b","c"],"allow":["a","b","c"]}'), reply(200, b'{"allow":["a","b","c"],}'),
    reply(200, b'{"allow":["a","b","c"]}', {"Content-Length": "100"}), reply(302, b'{"allow":["a","b","c"]}'),
    reply(500, b'{"allow":["a","b","c"]}'), reply(200, b'{"allow":["a","b","c"],"x":"' + b"y" * 200000 + b'"}'),
], ids=lambda raw: raw[-40:].decode("latin-1"))
def test_anything_else_is_busy_and_never_an_admission(start, backend, answer):
    backend.answer = lambda call: answer
    backend.server.RequestHandlerClass.timeout = 1
    streamer = start(auth_timeout_ms=3000)
    got = streamer.get("/events?topic=a,b,c", headers=STREAM)
    assert got.status == 200 and b"event: sse.busy\n" in got.body and b"sse.open" not in got.body
    assert "auth_url" in streamer.log()


def test_equal_questions_are_asked_once(start, backend):
    go = threading.Event()
    backend.answer = lambda call: verdict(allow=asked(call)) if go.wait(10) else None
    streamer = start()
    streams = [Connecting(streamer, "a,b", cookie=n % 5) for n in range(50)]
    streams.append(Connecting(streamer, "a", cookie=0))
    wait_until(lambda: streamer.prometheus()["sse_auth_joined"] == 45)
    wait_until(lambda: streamer.prometheus()["sse_auth_inflight"] == 6)
    go.set()
    for stream in streams:
        stream.result().close()
    assert len(backend.calls) == 6


def test_each_verdict_is_used_again_and_only_the_rest_is_asked_about(start, backend):
    long = {"Cache-Control": "private, max-age=3600"}
    backend.answer = lambda call: verdict(long, allow=[t for t in asked(call) if t != "no"],
                                          deny=[t for t in asked(call) if t == "no"])
    streamer = start()
    with streamer.live("a,b", headers={"Cookie": "s=1"}), streamer.live("c,b,a", headers={"Cookie": "s=1"}), \
            streamer.live("c", headers={"Cookie": "s=1"}):
        assert [asked(call) for call in backend.calls] == [["a", "b"], ["c"]]
    assert refused(streamer, "a,no") == refused(streamer, "no,a") == (403, "Not authorized to access topic: no")
    assert [asked(call) for call in backend.calls[2:]] == [["no"]]
    assert streamer.prometheus()["sse_auth_reused"] == 3 + 1 + 2


def test_what_was_left_out_is_asked_about_again(start, backend):
    long = {"Cache-Control": "private, max-age=3600"}
    backend.answer = lambda call: verdict(long, allow=["a"])
    streamer = start()
    assert b"sse.busy" in streamer.get("/events?topic=a,b", headers={**STREAM, "Cookie": "s=1"}).body
    assert "neither allowed nor denied" in streamer.log()
    backend.answer = lambda call: verdict(allow=["b"])
    with streamer.live("a,b", headers={"Cookie": "s=1"}):
        assert asked(backend.calls[1]) == ["b"]


def test_an_answer_may_be_as_long_as_its_question_makes_it(start, backend):
    topics = [f"{n:04d}" + "/" * 196 for n in range(300)]
    backend.answer = lambda call: reply(200, json.dumps({"allow": asked(call)}).replace("/", "\\u002f").encode())
    streamer = start(max_topics=1024)
    body = json.dumps({"topics": topics}).encode()
    with streamer.live("a", method="POST", headers={"Content-Type": "application/json"}, body=body, timeout=20):
        assert asked(backend.calls[0]) == ["a"] + topics


def test_a_listener_that_leaves_takes_its_call_along(start, backend):
    backend.answer = lambda call: None
    streamer = start(auth_timeout_ms=60000)
    streams = [Connecting(streamer, "a,b") for _ in range(2)]
    wait_until(lambda: streamer.prometheus()["sse_auth_joined"] == 1)
    streams[0].abandon()
    wait_until(lambda: streamer.prometheus()['sse_connections_closed{reason="peer_gone"}'] == 1)
    assert streamer.prometheus()["sse_auth_inflight"] == 1
    streams[1].abandon()
    wait_until(lambda: streamer.prometheus()["sse_auth_inflight"] == 0)


def test_a_url_with_a_place_for_one_topic_is_refused(streamer_program, processes):
    process = processes.start(streamer_program, "--set=auth=url", "--set=auth_mode=batch", "--check",
                              "--set=auth_url=http://localhost/{topic}", env=clean_environment(), stderr=-1)
    assert process.wait(10) == 2
    assert b"takes an auth_url without {topic}" in process.stderr.read()

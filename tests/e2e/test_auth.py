"""Who may hear what: every answer of the auth URL, and what the listener gets for it (docs/PROTOCOL.md)."""
import json
import threading
from functools import partial

import pytest

from auth_backend import STREAM, AuthBackend, Connecting, reply
from http_raw import fetch
from streamer_program import publish
from support import wait_until


@pytest.fixture
def start(start_asking):
    return partial(start_asking, auth_timeout_ms=1000)


def by_topic(**answers):
    return lambda call: answers[call["topic"]]


def test_each_topic_is_asked_for_with_the_listeners_credentials(start, backend):
    streamer = start()
    headers = {"Cookie": "s=1; t=2", "Authorization": "Bearer x", "Origin": "https://a.example", "User-Agent": "me",
               "Accept-Language": "de", "X-Request-Id": "7", "X-Other": "no", "X-Forwarded-For": "6.6.6.6, 198.51.100.7"}
    with streamer.live("a,b/c~d%2Be=f", headers={**headers}):
        pass
    calls = {call["topic"]: call for call in backend.calls}
    assert sorted(calls) == ["a", "b/c~d+e=f"]
    call = calls["a"]
    assert (call["method"], call["target"]) == ("GET", "/auth?topic=a")
    sent = call["headers"]
    for name in ("Cookie", "Authorization", "Origin", "User-Agent", "Accept-Language", "X-Request-Id"):
        assert sent[name.lower()] == headers[name]
    assert "x-other" not in sent
    assert sent["x-original-uri"] == "/events?topic=a,b/c~d%2Be=f"
    assert sent["x-original-method"] == "GET"
    assert sent["x-forwarded-for"] == "198.51.100.7"


@pytest.mark.parametrize("url,target", [
    ("/auth/{topic}/ok", "/auth/a%40b%2Fc/ok"), ("/auth?u=1", "/auth?u=1&topic=a%40b%2Fc"),
    ("/auth?t={topic}&again={topic}", "/auth?t=a%40b%2Fc&again=a%40b%2Fc")])
def test_the_topic_lands_encoded_where_the_setting_wants_it(start, backend, url, target):
    streamer = start(auth_url=backend.url.replace("/auth", url))
    with streamer.live("a@b/c"):
        assert backend.calls[0]["target"] == target


def test_a_backend_on_a_unix_socket_is_asked(start, tmp):
    backend = AuthBackend(f"{tmp}/auth.sock")
    with start(auth_url=backend.url).live("a"):
        assert backend.calls[0]["target"] == "/auth?topic=a"
    backend.close()


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_2xx_admits(start, backend, status):
    backend.answer = lambda call: reply(status, b"" if status == 204 else b"yes")
    with start().live("a"):
        pass


def test_401_is_passed_on_with_its_challenge_and_detail(start, backend):
    backend.answer = lambda call: reply(401, json.dumps({"detail": "Sign in, bitte \u00fc"}).encode(),
                                        {"WWW-Authenticate": 'Bearer realm="x"', "Content-Type": "application/json"})
    answer = start().get("/events?topic=a", headers=STREAM)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="x"'
    assert answer.json == {"detail": "Sign in, bitte \u00fc"}


def test_403_without_a_detail_names_the_topic(start, backend):
    backend.answer = by_topic(a=reply(204), b=reply(403, b"<html>no</html>"), c=reply(403))
    answer = start().get("/events?topic=a,b,c", headers=STREAM)
    assert answer.status == 403
    assert answer.json == {"detail": "Not authorized to access topic: b"}


def test_a_detail_is_cut_at_1_kib_between_characters(start, backend):
    backend.answer = lambda call: reply(403, json.dumps({"detail": "\u00fc" * 600 + "!"}, ensure_ascii=False).encode())
    answer = start().get("/events?topic=a", headers=STREAM)
    assert answer.json["detail"] == "\u00fc" * 512


def test_the_first_denied_topic_in_request_order_decides_though_another_answers_first(start, backend):
    second = threading.Event()

    def answer(call):
        if call["topic"] == "a":
            second.wait(10)
            return reply(403)
        second.set()
        return reply(401)
    backend.answer = answer
    got = start().get("/events?topic=a,b", headers=STREAM)
    assert (got.status, got.json["detail"]) == (403, "Not authorized to access topic: a")


@pytest.mark.parametrize("length", [70000, 1073741824])
@pytest.mark.parametrize("status", [401, 403])
def test_a_denial_is_one_also_when_its_page_is_long(start, backend, status, length):
    """A framework's page of 100 KB that says no must not let a listener come back for ever."""
    backend.answer = lambda call: reply(status, b"x" * 70000, {"Content-Length": str(length)})
    got = start().get("/events?topic=a", headers=STREAM)
    assert got.status == status
    assert got.json == {"detail": "Not authorized to access topic: a"}


def test_a_denial_does_not_wait_for_the_topics_behind_it(start, backend):
    backend.answer = lambda call: reply(403) if call["topic"] == "a" else None
    got = start(auth_timeout_ms=60000).get("/events?topic=a,b", headers=STREAM)
    assert got.status == 403


@pytest.mark.parametrize("answer", [
    reply(302, headers={"Location": "/login"}), reply(301, headers={"Location": "http://evil.example/"}), reply(304),
    reply(400), reply(404), reply(407), reply(418), reply(429), reply(500), reply(502), reply(503), reply(600),
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxx", b"garbage\r\n\r\n", b"",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZX\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500000 + b"\r\n\r\n",
    reply(200, b"x" * 70000), b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n" + b"x" * 100000,
], ids=lambda raw: raw[:40].decode("latin-1"))
def test_anything_else_is_busy_never_an_admission_and_never_a_permanent_no(start, backend, answer):
    def once(call):
        return answer
    backend.answer = once
    # What breaks off is only known to be broken once the backend closes.
    backend.server.RequestHandlerClass.timeout = 1
    streamer = start()
    got = streamer.get("/events?topic=a", headers=STREAM)
    assert got.status == 200
    assert b"event: sse.busy\n" in got.body
    assert b"sse.open" not in got.body
    assert streamer.get("/events?topic=a", headers={"Accept": "*/*"}).status == 503
    assert streamer.prometheus()['sse_auth_calls{outcome="busy"}'] == 2


def test_a_backend_that_never_answers_is_busy_after_its_time(start, backend):
    backend.answer = lambda call: None
    streamer = start(auth_timeout_ms=200)
    assert b"sse.busy" in streamer.get("/events?topic=a", headers=STREAM).body


def test_a_backend_that_is_not_there_is_busy(start, backend):
    streamer = start(auth_url="http://127.0.0.1:1/auth")
    assert b"sse.busy" in streamer.get("/events?topic=a", headers=STREAM).body
    assert "auth_url did not answer" in streamer.log()


def test_a_denial_wins_over_busy_before_it(start, backend):
    backend.answer = by_topic(a=reply(500), b=reply(403))
    got = start().get("/events?topic=a,b", headers=STREAM)
    assert (got.status, got.json["detail"]) == (403, "Not authorized to access topic: b")


def test_a_redirect_is_not_followed_and_logged_once_in_words_that_help(start, backend):
    backend.answer = lambda call: reply(302, headers={"Location": "/login"})
    streamer = start()
    for _ in range(3):
        streamer.get("/events?topic=a", headers=STREAM)
    assert all(call["target"].startswith("/auth") for call in backend.calls)
    lines = [line for line in streamer.log().splitlines() if "auth_url answered 302 to" in line]
    assert len(lines) == 1
    assert "/login" in lines[0] and "must answer 2xx, 401 or 403" in lines[0]


def test_nothing_is_delivered_before_the_verdict(start, backend, redis):
    go = threading.Event()
    backend.answer = lambda call: reply(204) if go.wait(10) else None
    streamer = start(auth_timeout_ms=10000)
    with redis.connect() as bus:
        results = []
        opener = threading.Thread(target=lambda: results.append(streamer.open("a")))
        opener.start()
        wait_until(lambda: backend.calls)
        publish(bus, "a", name="secret")
        go.set()
        opener.join()
        with results[0] as stream:
            stream.opened()
            publish(bus, "a", name="end")
            assert stream.events_until("end") == []


def test_no_more_calls_than_allowed_are_under_way_and_the_rest_wait_in_line(start, backend):
    go = threading.Event()
    backend.answer = lambda call: reply(204) if go.wait(10) else None
    streamer = start(auth_max_inflight=3, auth_timeout_ms=10000)
    streams = [Connecting(streamer, "a", cookie=n) for n in range(10)]
    wait_until(lambda: streamer.prometheus()["sse_auth_waiting"] == 7)
    assert streamer.prometheus()["sse_auth_inflight"] == 3
    wait_until(lambda: backend.now == 3, what="the backend has all three")
    go.set()
    for stream in streams:
        stream.result().close()
    assert backend.most == 3


def test_a_full_line_is_busy(start, backend):
    go = threading.Event()
    backend.answer = lambda call: reply(204) if go.wait(10) else None
    streamer = start(auth_max_inflight=1, auth_max_waiting=1, auth_timeout_ms=10000)
    streams = [Connecting(streamer, "a")]
    wait_until(lambda: streamer.prometheus()["sse_auth_inflight"] == 1)
    streams.append(Connecting(streamer, "b"))
    wait_until(lambda: streamer.prometheus()["sse_auth_waiting"] == 1)
    assert b"sse.busy" in streamer.get("/events?topic=c", headers=STREAM).body
    streams.append(Connecting(streamer, "a,b"))  # who asks what is asked already needs no place in it
    wait_until(lambda: streamer.prometheus()["sse_auth_joined"] == 2)
    go.set()
    for stream in streams:
        stream.result().close()


def test_a_listener_that_leaves_takes_its_calls_along(start, backend):
    backend.answer = lambda call: None
    streamer = start(auth_max_inflight=2, auth_timeout_ms=60000)
    sockets = [Connecting(streamer, "a,b,c", cookie=n) for n in range(3)]
    wait_until(lambda: streamer.prometheus()["sse_auth_waiting"] == 7)
    for stream in sockets:
        stream.abandon()
    wait_until(lambda: streamer.prometheus()["sse_auth_waiting"] == 0)
    wait_until(lambda: streamer.prometheus()["sse_auth_inflight"] == 0)
    backend.answer = lambda call: reply(204)
    with streamer.live("a"):
        pass


def test_head_asks_for_permission_like_get(start, backend):
    streamer = start()
    backend.answer = lambda call: reply(403)
    assert streamer.get("/events?topic=a", method="HEAD").status == 403
    backend.answer = lambda call: reply(204)
    assert streamer.get("/events?topic=a", method="HEAD").status == 200
    assert fetch(streamer.admin, "/metrics").json["connections"]["current"] == 0

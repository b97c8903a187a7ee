"""Calls of the auth URL that are saved: equal ones under way are made once, and an answer is used again for as long, and
for whom, it allows (docs/PROTOCOL.md)."""
import threading

import pytest

from auth_backend import STREAM, Connecting, reply
from streamer_program import publish
from support import wait_until

LONG = {"Cache-Control": "max-age=3600"}


@pytest.fixture
def start(start_asking):
    return start_asking


@pytest.fixture
def gate(backend):
    """Answers come once it is set."""
    go = threading.Event()

    def hold(**headers):
        backend.answer = lambda call: reply(204, headers=headers) if go.wait(20) else None
        return go
    yield hold
    go.set()


def saying(status=204, body=b"", **headers):
    return lambda call: reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def saved(streamer):
    seen = streamer.prometheus()
    return seen["sse_auth_joined"], seen["sse_auth_reused"]


def visit(streamer, cookie=None, topics="a", query="", **headers):
    if cookie is not None:
        headers["Cookie"] = cookie
    return streamer.get(f"/events?topic={topics}{query}", method="HEAD", headers=headers).status


# ---- equal calls under way ----

def test_a_herd_of_500_listeners_with_50_credentials_makes_50_calls_a_topic(start, backend, gate):
    go = gate()
    streamer = start()
    herd = [Connecting(streamer, "a,b", cookie=n % 50) for n in range(500)]
    wait_until(lambda: saved(streamer) == (900, 0))
    go.set()
    for stream in herd:
        stream.result().close()
    asked = [(call["topic"], call["headers"]["cookie"]) for call in backend.calls]
    assert len(asked) == 100 and len(set(asked)) == 100


def test_calls_that_differ_in_what_the_backend_sees_are_not_joined(start, backend, gate):
    go = gate()
    streamer = start()
    others = [{"Cookie": "s=2"}, {"Authorization": "Bearer x"}, {"Origin": "https://a.example"}, {"User-Agent": "me"},
              {"Accept-Language": "de"}, {"X-Forwarded-For": "198.51.100.7"}, {}, {"Cookie": ""}]
    streams = [Connecting(streamer, "a", **headers) for headers in others]
    streams.append(Connecting(streamer, "a&token=x"))
    streams.append(Connecting(streamer, "a&token=y"))
    wait_until(lambda: streamer.prometheus()["sse_auth_inflight"] == 10)
    streams.append(Connecting(streamer, "a&token=y&last_event_id=1-0", **{"X-Request-Id": "7"}))
    wait_until(lambda: saved(streamer) == (1, 0))
    go.set()
    for stream in streams:
        stream.result().close()
    assert len(backend.calls) == 10


def test_a_denial_is_told_to_everybody_who_waits_for_it(start, backend):
    go = threading.Event()
    backend.answer = lambda call: reply(401, b'{"detail":"no"}', {"WWW-Authenticate": "Bearer"}) if go.wait(10) else None
    streamer = start()
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(streamer.get("/events?topic=a", headers=STREAM)))
               for _ in range(5)]
    for thread in threads:
        thread.start()
    wait_until(lambda: saved(streamer) == (4, 0))
    go.set()
    for thread in threads:
        thread.join()
    assert [(a.status, a.headers["www-authenticate"], a.json["detail"]) for a in answers] == [(401, "Bearer", "no")] * 5
    assert len(backend.calls) == 1


@pytest.mark.parametrize("who", [0, 1, 2])
def test_one_that_leaves_leaves_the_call_to_the_others(start, backend, gate, who):
    go = gate()
    streamer = start()
    streams = [Connecting(streamer, "a,b") for _ in range(3)]
    wait_until(lambda: saved(streamer) == (4, 0))
    wait_until(lambda: backend.now == 2)
    streams.pop(who).abandon()
    wait_until(lambda: streamer.prometheus()['sse_connections_closed{reason="peer_gone"}'] == 1)
    go.set()
    for stream in streams:
        stream.result().close()
    assert len(backend.calls) == 2


def test_the_last_one_takes_the_call_along(start, backend):
    backend.answer = lambda call: None
    streamer = start(auth_timeout_ms=60000, auth_max_inflight=1)
    streams = [Connecting(streamer, topic) for topic in ("a", "a", "b", "b")]
    wait_until(lambda: saved(streamer) == (2, 0))
    for stream in streams:
        stream.abandon()
    wait_until(lambda: streamer.prometheus()["sse_auth_waiting"] == 0)
    wait_until(lambda: streamer.prometheus()["sse_auth_inflight"] == 0)
    backend.answer = lambda call: reply(204)
    with streamer.live("a,b"):
        pass


def test_nothing_is_delivered_to_those_who_joined_before_the_verdict(start, gate, redis):
    go = gate()
    streamer = start()
    with redis.connect() as bus:
        results = []
        threads = [threading.Thread(target=lambda: results.append(streamer.open("a"))) for _ in range(3)]
        for thread in threads:
            thread.start()
        wait_until(lambda: saved(streamer) == (2, 0))
        publish(bus, "a", name="secret")
        go.set()
        for thread in threads:
            thread.join()
        for stream in results:
            stream.opened()
        publish(bus, "a", name="end")
        for stream in results:
            assert stream.events_until("end") == []
            stream.close()


# ---- answers that may be used again ----

@pytest.mark.parametrize("cache_control", ["max-age=3600", "private, max-age=3600", "public, max-age=3600"])
def test_a_verdict_is_used_again_for_the_same_credentials_alone(start, backend, cache_control):
    backend.answer = saying(Cache_Control=cache_control)
    streamer = start()
    for cookie in ("s=1", "s=1", "s=2", "s=1", "s=2"):
        assert visit(streamer, cookie, "a,b") == 200
    assert sorted((call["topic"], call["headers"]["cookie"]) for call in backend.calls) == \
        [("a", "s=1"), ("a", "s=2"), ("b", "s=1"), ("b", "s=2")]
    assert saved(streamer) == (0, 6)


@pytest.mark.parametrize("headers", [
    {}, {"Cache-Control": "no-store, max-age=3600"}, {"Cache-Control": "no-cache"}, {"Cache-Control": "max-age=0"},
    {"Cache-Control": "s-maxage=3600"}, {"Expires": "Thu, 01 Jan 2099 00:00:00 GMT"}, {**LONG, "Age": "3600"},
    {**LONG, "Vary": "*"}], ids=str)
@pytest.mark.parametrize("status", [204, 403])
def test_an_answer_that_does_not_allow_it_is_used_once(start, backend, status, headers):
    backend.answer = lambda call: reply(status, headers=headers)
    streamer = start()
    for _ in range(3):
        visit(streamer, "s=1")
    assert len(backend.calls) == 3


def test_a_verdict_ends_when_its_time_is_over(start, backend):
    backend.answer = saying(Cache_Control="max-age=3600", Age="3599")
    streamer = start()
    assert visit(streamer, "s=1") == 200
    backend.answer = saying(403)
    wait_until(lambda: visit(streamer, "s=1") == 403, what="the verdict has ended")


def test_a_denial_is_used_again_with_its_words(start, backend):
    backend.answer = saying(401, b'{"detail":"no"}', Cache_Control="max-age=3600", WWW_Authenticate="Bearer")
    streamer = start()
    for _ in range(3):
        answer = streamer.get("/events?topic=a", headers={**STREAM, "Cookie": "s=1"})
        assert (answer.status, answer.headers["www-authenticate"], answer.json) == (401, "Bearer", {"detail": "no"})
    assert len(backend.calls) == 1


@pytest.mark.parametrize("status", [302, 404, 429, 500, 503])
def test_busy_is_never_used_again(start, backend, status):
    backend.answer = saying(status, Cache_Control="max-age=3600")
    streamer = start()
    assert visit(streamer, "s=1") == 503
    backend.answer = saying(204)
    assert visit(streamer, "s=1") == 200


def test_a_private_answer_to_somebody_without_credentials_is_for_that_one_alone(start, backend):
    backend.answer = saying(Cache_Control="private, max-age=3600")
    streamer = start()
    assert visit(streamer) == visit(streamer) == 200
    assert len(backend.calls) == 2
    backend.answer = saying(Cache_Control="max-age=3600")
    assert visit(streamer) == visit(streamer) == 200
    assert len(backend.calls) == 3


def test_a_token_in_the_query_is_a_credential(start, backend):
    backend.answer = lambda call: reply(204 if "token=good" in call["headers"]["x-original-uri"] else 403, headers=LONG)
    streamer = start()
    assert [visit(streamer, query=f"&token={token}") for token in ("good", "bad", "good", "bad")] == [200, 403, 200, 403]
    assert len(backend.calls) == 2


def test_what_the_answer_varies_by_keeps_verdicts_apart(start, backend):
    def answer(call):
        near = call["headers"]["x-forwarded-for"].startswith("127.")
        return reply(204 if near else 403, headers={**LONG, "Vary": "Accept-Encoding, X-Forwarded-For"})
    backend.answer = answer
    streamer = start()
    far = {"X-Forwarded-For": "198.51.100.7"}
    assert [visit(streamer), visit(streamer, **far), visit(streamer), visit(streamer, **far)] == [200, 403, 200, 403]
    assert len(backend.calls) == 2


def test_who_waits_in_line_is_spared_the_call_by_an_answer_that_comes_meanwhile(start, backend, gate):
    go = gate(**LONG)
    streamer = start(auth_max_inflight=1)
    streams = [Connecting(streamer, "a", **{"User-Agent": str(n)}) for n in range(20)]
    wait_until(lambda: streamer.prometheus()["sse_auth_waiting"] == 19)
    go.set()
    for stream in streams:
        stream.result().close()
    assert len(backend.calls) == 1
    assert saved(streamer) == (0, 19)


def test_a_long_page_that_says_no_is_asked_for_again(start, backend):
    """It was not read to its end, so nothing that it says of itself counts."""
    backend.answer = saying(403, b"x" * 70000, Cache_Control="max-age=3600")
    streamer = start()
    assert [visit(streamer, "s=1") for _ in range(2)] == [403, 403]
    assert len(backend.calls) == 2

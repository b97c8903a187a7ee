"""Every answer to a subscription but the stream, and the health answers (docs/PROTOCOL.md); each test names its answer."""
import json
import socket

import pytest

from http_raw import connect, exchange, fetch, read_all, request_bytes, Answer
from streamer_program import Streamer
from support import wait_until

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def streamer(tmp_path_factory):
    """One for all: these answers leave nothing behind. Without Redis, which none of them needs."""
    from support import Processes, built
    processes = Processes()
    folder = str(tmp_path_factory.mktemp("s"))
    yield Streamer(built("streamer/streamer"), processes, f"unix:{folder}/none.sock", folder,
                   cors_origins="https://app.example, http://localhost:3000").start(ready=False)
    processes.stop_all()


def detail(answer):
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["connection"] == "close"
    return answer.json["detail"]


@pytest.mark.parametrize("target,text", [
    ("/events", "Missing required query parameter: topic"),
    ("/events?x=1", "Missing required query parameter: topic"),
    ("/events?topic=", "At least one topic is required"),
    ("/events?topic=,", "At least one topic is required"),
    ("/events?topic=%20,%09", "At least one topic is required"),
    ("/events?topic=a%zz", "Malformed percent-encoding"),
    ("/events?topic=sse:control", "Topics beginning with sse: are reserved"),
    ("/events?topic=" + ",".join(f"t{i}" for i in range(65)), "Too many topics: at most 64 on one connection"),
])
def test_400_with_the_detail_of_the_contract(streamer, target, text):
    answer = streamer.get(target, headers=STREAM)
    assert (answer.status, detail(answer)) == (400, text)


@pytest.mark.parametrize("topic", [
    "*", "?", "[a]", "{tag}", "-a", ".a", "a%20b", "a%00", "a%0d%0ab", "a%7f", "%c3%a4", "%ff", "%c0%af", "a" * 201,
    "a%01", "%e2%80%ae", "__proto__", "a%22", "a%5c", "http://169.254.169.254/%3Fx",
])
def test_400_for_a_topic_outside_its_grammar(streamer, topic):
    answer = streamer.get(f"/events?topic=ok,{topic}")
    assert answer.status == 400
    assert detail(answer).startswith("Invalid topic")


@pytest.mark.parametrize("raw", [
    b"GET /events?topic=a HTTP/1.1\nHost: x\n\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\n\rX\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\nX: \x01\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost : x\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\n: v\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\nnocolon\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\n Host: x\r\n\r\n",
    b"\r\nGET /events?topic=a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET  /events?topic=a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET\t/events?topic=a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /events?topic=a\r\n\r\n",
    b"GET /events?topic=a http/1.1\r\nHost: x\r\n\r\n",
    b"GET events HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://x/events?topic=a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /events?topic=a#b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /events?topic=\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: a/b@c\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551617\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n",
    b"POST /events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
    b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x07" * 60,
])
def test_400_for_what_is_not_strictly_one_request(streamer, raw):
    answer = exchange(streamer.address, raw)
    assert answer.status == 400, answer.raw


def test_the_verdict_on_a_request_does_not_depend_on_how_it_was_cut(streamer):
    raw = b"GET /events HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"
    whole = exchange(streamer.address, raw).status
    for cut in range(1, len(raw)):
        with connect(streamer.address) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.sendall(raw[:cut])
            s.sendall(raw[cut:])
            assert Answer(read_all(s)).status == whole


def test_content_length_0_of_a_get_passes(streamer):
    assert streamer.get("/events?topic=,", headers={"Content-Length": "0"}).status == 400
    assert streamer.get("/health", headers={"Content-Length": "0"}).status == 200


def test_404_for_another_path(streamer):
    for target in ("/", "/event", "/events/", "/events/x?topic=a", "/metrics", "/metrics/prometheus", "//events", "/%65vents"):
        answer = streamer.get(target)
        assert (answer.status, detail(answer)) == (404, "Not Found"), target


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_405_says_what_is_allowed(streamer, method):
    answer = streamer.get("/events?topic=a", method=method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert streamer.get("/health", method="POST", body=b"").headers["allow"] == "GET, HEAD"


def test_408_for_a_request_that_does_not_come(streamer):
    with connect(streamer.address) as s:
        s.sendall(b"GET /events?topic=a HTTP/1.1\r\nHost: x\r\n")
        answer = Answer(read_all(s))
    assert (answer.status, detail(answer)) == (408, "The request took too long")


def test_411_for_a_post_without_a_length(streamer):
    assert streamer.get("/events", method="POST").status == 411


def test_413_for_a_body_over_64_kib_and_for_a_get_with_one(streamer):
    assert streamer.get("/events", method="POST", headers={"Content-Length": "65537"}).status == 413
    assert streamer.get("/events?topic=a", body=b"x").status == 413


def test_414_for_a_request_line_and_431_for_a_head_over_8_kib(streamer):
    assert streamer.get("/events?topic=" + "a," * 4096).status == 414
    assert streamer.get("/events?topic=a", headers={"X": "y" * 8192}).status == 431
    assert streamer.get("/events?topic=,", headers={f"X{i}": "y" for i in range(101)}).status == 431


def test_a_head_of_just_8_kib_passes(streamer):
    empty = len(request_bytes("/health", headers={"Connection": "close", "X": ""}))
    assert streamer.get("/health", headers={"X": "y" * (8192 - empty)}).status == 200
    assert streamer.get("/health", headers={"X": "y" * (8193 - empty)}).status == 431


def test_415_for_a_post_of_another_type(streamer):
    answer = streamer.get("/events", method="POST", headers={"Content-Type": "text/plain"}, body=b"topic=a")
    assert answer.status == 415
    assert "application/json" in detail(answer)


@pytest.mark.parametrize("body", [b"{", b"[]", b'"a"', b'{"topics":1}', b'{"topics":[1]}', b'{"topics":{}}',
                                  b'{"topics":["\\ud800"]}', b'{"topics":["\xff"]}', b'{"topics":["a b"]}', b"{}"])
def test_400_for_a_json_body_that_names_no_topics(streamer, body):
    answer = streamer.get("/events", method="POST", headers={"Content-Type": "application/json"}, body=body)
    assert answer.status == 400


def test_501_for_an_unknown_method_and_encoding_and_505_for_another_version(streamer):
    assert streamer.get("/events?topic=a", method="BREW").status == 501
    assert streamer.get("/events", method="POST", headers={"Transfer-Encoding": "gzip"}).status == 501
    assert streamer.get("/events?topic=a", version="2.0").status == 505
    assert streamer.get("/events?topic=a", version="1.2").status == 505


def test_head_is_answered_as_get_without_a_body(streamer):
    answer = streamer.get("/events?topic=a", method="HEAD")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.body == b""
    bad = streamer.get("/events", method="HEAD")
    assert (bad.status, bad.body) == (400, b"")
    assert int(bad.headers["content-length"]) > 0


def test_100_continue_is_said_to_who_waits_for_it(streamer):
    head = request_bytes("/events", "POST", {"Content-Type": "application/json", "Content-Length": "2",
                                             "Expect": "100-continue"})
    with connect(streamer.address) as s:
        s.sendall(head)
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(b"{}")
        assert Answer(read_all(s)).status == 400


def test_cors_echoes_an_allowed_origin_with_credentials_also_on_errors(streamer):
    for target in ("/events", "/events?topic=a%20b", "/nowhere"):
        allowed = streamer.get(target, headers={"Origin": "https://app.example"})
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        assert allowed.headers["access-control-allow-credentials"] == "true"
        assert allowed.headers["vary"] == "Origin"


def test_cors_stands_on_the_refusal_of_a_request_whose_head_could_be_read(streamer):
    for headers in ({}, {"Content-Length": "65537"}):
        refused = streamer.get("/events", method="POST", headers={"Origin": "https://app.example", **headers})
        assert refused.status in (411, 413)
        assert refused.headers["access-control-allow-origin"] == "https://app.example"


@pytest.mark.parametrize("origin", ["null", "https://app.example.evil.tld", "http://app.example", "https://app.example:443",
                                    "https://APP.example", "https://app.example, http://localhost:3000"])
def test_cors_gives_nothing_to_another_origin(streamer, origin):
    refused = streamer.get("/events", headers={"Origin": origin})
    assert "access-control-allow-origin" not in refused.headers
    assert refused.headers["vary"] == "Origin"


def test_a_preflight_is_answered_with_what_clients_send(streamer):
    answer = streamer.get("/events?topic=a", method="OPTIONS", headers={
        "Origin": "http://localhost:3000", "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "last-event-id"})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert {"Authorization", "Content-Type", "Last-Event-ID", "Cache-Control"} <= set(allowed)
    assert "POST" in answer.headers["access-control-allow-methods"]


def test_cors_for_everybody_goes_without_credentials(streamer_program, processes, tmp):
    streamer = Streamer(streamer_program, processes, f"unix:{tmp}/none", tmp, cors_origins="*").start(ready=False)
    answer = streamer.get("/events", headers={"Origin": "https://any.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_health_and_live_say_200_and_ready_503_while_redis_is_away(streamer):
    for address in (streamer.address, streamer.admin):
        assert fetch(address, "/health").json == {"status": "healthy"}
        assert fetch(address, "/health/live").json == {"status": "alive"}
        ready = fetch(address, "/health/ready")
        assert ready.status == 503
        assert ready.json == {"status": "not ready", "reason": "redis is not connected"}


def test_metrics_are_on_the_admin_address_alone(streamer):
    metrics = fetch(streamer.admin, "/metrics").json
    assert set(metrics) == {"uptime_seconds", "connections", "messages", "topics", "performance", "redis", "health"}
    assert set(metrics["connections"]) == {"current", "total", "failed", "rejected"}
    assert set(metrics["messages"]) == {"published", "delivered", "dropped", "publish_errors"}
    assert set(metrics["topics"]) == {"active", "subscribers_by_topic"}
    assert set(metrics["performance"]) == {"avg_publish_latency_ms", "p95_publish_latency_ms"}
    assert set(metrics["redis"]) == {"reconnects", "errors"}
    assert metrics["health"] == "unhealthy"
    assert fetch(streamer.admin, "/events?topic=a").status == 404


def test_prometheus_names_each_metric_with_help_and_type_and_no_topic(streamer):
    answer = fetch(streamer.admin, "/metrics/prometheus")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answer.body.decode()
    for name in ("connections_current connections_total connections_rejected messages_published messages_delivered "
                 "messages_dropped publish_errors topics_active publish_latency_ms redis_reconnects redis_errors").split():
        assert f"# HELP sse_{name} " in text and f"# TYPE sse_{name} " in text and f"\nsse_{name} " in text
    assert "topic=" not in text


def test_admin_same_serves_metrics_beside_the_streams(streamer_program, processes, tmp):
    streamer = Streamer(streamer_program, processes, f"unix:{tmp}/none", tmp)
    streamer.settings["admin_listen"] = "same"
    streamer.admin = streamer.address
    streamer.start(ready=False)
    assert streamer.get("/metrics").status == 200
    assert streamer.get("/events").status == 400


def test_a_listener_without_redis_gets_the_head_and_retry_and_waits(streamer):
    with streamer.open("a") as stream:
        assert stream.head.status == 200
        assert stream.block().retry


def test_every_answer_has_a_date_and_no_server_version(streamer):
    answer = streamer.get("/nowhere")
    assert answer.headers["date"].endswith(" GMT")
    assert "server" not in answer.headers


def test_browsers_and_others_see_busy_as_each_can_bear_it(streamer_program, processes, tmp):
    streamer = Streamer(streamer_program, processes, f"unix:{tmp}/none", tmp, max_connections=1,
                        cors_origins="https://app.example").start(ready=False)
    with streamer.open("a") as stream:
        assert stream.block().retry
        browser = streamer.get("/events?topic=a", headers={**STREAM, "Origin": "https://app.example"})
        assert (browser.status, browser.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert browser.headers["access-control-allow-origin"] == "https://app.example"
        lines = browser.body.decode().split("\n")
        assert lines[0].startswith("retry: ") and 5000 <= int(lines[0][7:]) <= 30000
        assert lines[1] == "event: sse.busy"
        assert json.loads(lines[2][6:]) == {"detail": "Server connection limit reached. Try again later."}
        assert lines[3:] == ["", ""]
        other = streamer.get("/events?topic=a", headers={"Accept": "*/*"})
        assert (other.status, detail(other)) == (503, "Server connection limit reached. Try again later.")
        assert 5 <= int(other.headers["retry-after"]) <= 30
        assert fetch(streamer.admin, "/health/ready").status == 503
    wait_until(lambda: fetch(streamer.admin, "/metrics").json["connections"]["current"] == 0)

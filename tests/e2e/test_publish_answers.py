"""Every answer of publish, as CGI and as FastCGI, over a real Redis."""
import json
import os
import socket
import threading

import pytest

from payloads import load
from publish_program import FORM, Cgi, FastCgi
from resp import RedisError
from support import free_port

TOKENS = "shop secret\ncron limited a b:*\n"


@pytest.fixture(params=[Cgi, FastCgi], ids=lambda way: way.name)
def way(request):
    return request.param


@pytest.fixture
def publish(way, publish_program, processes, tmp, redis):
    return way(publish_program, processes, tmp, redis_url=redis.url)


@pytest.fixture
def guarded(way, publish_program, processes, tmp, redis):
    """With tokens: `secret` for everything, `limited` for a and b:*."""
    path = os.path.join(tmp, "tokens")
    with open(path, "w", encoding="utf-8") as file:
        file.write(TOKENS)
    return way(publish_program, processes, tmp, redis_url=redis.url, publish_auth="token", publish_tokens_file=path)


def ids(redis, topic):
    """The ids in a topic's log."""
    return [entry[0].decode() for entry in redis.call("XRANGE", f"sse:log:{topic}", "-", "+")]


def messages(redis, topic):
    return [entry[1][1] for entry in redis.call("XRANGE", f"sse:log:{topic}", "-", "+")]


def refused(answer, status, field=None, says=""):
    assert answer.status == status, answer
    assert answer.json.get("field") == field, answer
    assert says in answer.detail, answer
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["content-length"]) == len(answer.body)


# ---- 200 ----

def test_200_with_the_id_once_redis_has_the_event(publish, redis):
    with redis.connect() as listener:
        listener.call("SUBSCRIBE", "comments")
        answer = publish.event(event="comment_created", data={"id": 1}, key="k")
        assert answer.status == 200
        assert list(answer.json) == ["id"]
        message = listener.receive()[2]
    assert message == messages(redis, "comments")[0]
    assert ids(redis, "comments") == [answer.json["id"]]
    assert json.loads(message) == {"event": "comment_created", "data": {"id": 1}, "id": answer.json["id"], "prev": "0-0",
                                   "key": "k"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def test_200_with_all_ids_of_a_batch(publish, redis):
    answer = publish.ask([{"topic": "a"}, {"topics": ["a", "b"]}, {"topic": "b"}])
    assert answer.status == 200
    first, second, third = answer.json["ids"]
    assert ids(redis, "a") == [first, second]
    assert ids(redis, "b") == [second, third]
    assert json.loads(messages(redis, "a")[1])["topics"] == ["a", "b"]


def test_200_to_a_batch_of_one_thousand(publish, redis):
    answer = publish.ask([{"topic": f"t{i % 7}", "data": i} for i in range(1000)])
    assert answer.status == 200
    assert len(set(answer.json["ids"])) == 1000
    assert len(ids(redis, "t0")) == 100  # history_size


def test_200_to_a_form_as_curl_and_php_send_it(publish, redis):
    answer = publish.form("topic=comments&event=comment_created&data=%7B%22id%22%3A1%7D")
    assert answer.status == 200
    assert json.loads(messages(redis, "comments")[0])["data"] == {"id": 1}
    assert publish.form("topic%5B0%5D=a&topic%5B1%5D=b&data=text").status == 200
    assert json.loads(messages(redis, "b")[0])["data"] == "text"


def test_200_without_a_content_length(publish):
    assert publish.ask({"topic": "a"}, length=None).status == 200
    assert publish.ask({"topic": "a"}, length="").status == 200


def test_200_with_the_first_answer_when_a_key_is_repeated(publish, redis):
    first = publish.ask({"topic": "a"}, HTTP_IDEMPOTENCY_KEY="k")
    again = publish.ask({"topic": "a"}, HTTP_IDEMPOTENCY_KEY="k")
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    batch = publish.ask([{"topic": "a"}, {"topic": "b"}], HTTP_IDEMPOTENCY_KEY="batch")
    assert publish.ask([{"topic": "a"}, {"topic": "b"}], HTTP_IDEMPOTENCY_KEY="batch").body == batch.body
    member = publish.event("a", idempotency_key="m")
    assert publish.event("a", idempotency_key="m").body == member.body
    assert len(ids(redis, "a")) == 3


def test_keys_are_kept_for_five_minutes(publish, redis):
    publish.ask({"topic": "a"}, HTTP_IDEMPOTENCY_KEY="k")
    publish.event("a")
    kept = redis.call("KEYS", "sse:once:*")
    assert len(kept) == 2
    assert all(290 < redis.call("TTL", key) <= 300 for key in kept)


def test_keys_of_different_tokens_do_not_meet(guarded, redis):
    for token in "secret", "limited":
        assert guarded.ask({"topic": "a"}, HTTP_IDEMPOTENCY_KEY="k", HTTP_AUTHORIZATION=f"Bearer {token}").status == 200
    assert len(ids(redis, "a")) == 2


# ---- 400 ----

@pytest.mark.parametrize("body", [b"{", b"{'topic':'a'}", b"topic=a", b'{"topic":"a"} x', b'{"topic":"\xfc"}',
                                  b"\xef\xbb\xbf{}"])
def test_400_to_json_that_cannot_be_read(publish, body):
    refused(publish.ask(body), 400)


def test_400_to_an_empty_body_names_mod_fcgid(publish):
    refused(publish.ask(b""), 400, says="mod_fcgid")
    refused(publish.form(b"", length=None), 400, says="mod_fcgid")


def test_400_to_a_body_shorter_than_its_content_length(publish):
    refused(publish.ask(b'{"topic":"a"}', length="20"), 400, says="13 of the 20 bytes")


def test_400_to_a_content_length_that_is_no_number(publish):
    refused(publish.ask(b'{"topic":"a"}', length="13x"), 400, "Content-Length")


def test_400_to_a_form_that_is_not_utf8_names_the_cure(publish):
    refused(publish.form(b"topic=a&data=M\xfcller"), 400, "data", "charset=iso-8859-1")
    assert publish.form(b"topic=a&data=M\xfcller", content_type=FORM + "; charset=iso-8859-1").status == 200


def test_400_to_a_byte_that_windows_1252_does_not_know(publish):
    refused(publish.form(b"topic=a&data=%81", content_type=FORM + "; charset=windows-1252"), 400, "data", "send UTF-8")


# ---- 401, 403 ----

def test_401_without_authorization_names_cgipassauth(guarded):
    answer = guarded.event("a")
    refused(answer, 401, says="CGIPassAuth On")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer secre", "Bearer secrets", "Basic c2hvcDpzZWNyZXQ=", "secret",
                                    "Bearer"])
def test_401_with_another_token(guarded, header):
    answer = guarded.ask({"topic": "a"}, HTTP_AUTHORIZATION=header)
    refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_401_when_the_web_server_signed_nobody_in(way, publish_program, processes, tmp, redis):
    publish = way(publish_program, processes, tmp, redis_url=redis.url, publish_auth="remote_user")
    refused(publish.event("a"), 401, says="REMOTE_USER")
    assert publish.ask({"topic": "a"}, REMOTE_USER="ann").status == 200


def test_403_names_the_topic_that_the_token_is_not_for(guarded, redis):
    answer = guarded.ask([{"topic": "a"}, {"topics": ["b:1", "c"]}], HTTP_AUTHORIZATION="Bearer limited")
    refused(answer, 403, says="topic c")
    assert ids(redis, "a") == []
    assert guarded.ask({"topics": ["a", "b:1"]}, HTTP_AUTHORIZATION="bearer limited").status == 200


# ---- 405, and other methods ----

@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "FOO"])
def test_405_to_other_methods(publish, method):
    answer = publish.ask(method=method)
    refused(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_head_and_options_have_no_body(publish):
    head = publish.ask(method="HEAD")
    assert (head.status, head.body, head.headers["allow"]) == (405, b"", "POST")
    options = publish.ask(method="OPTIONS")
    assert (options.status, options.body, options.headers["allow"]) == (204, b"", "POST, OPTIONS")


# ---- 413 ----

def test_413_before_the_body_is_read_where_its_length_is_known(publish_program, processes, tmp, redis):
    publish = FastCgi(publish_program, processes, tmp, redis_url=redis.url)
    request = publish.begin(length="1048577")
    assert b"Status: 413" in request.answer()  # not a byte of the body was sent


def test_413_to_a_body_beyond_max_body_size(publish):
    body = b'{"topic":"a"}' + b" " * 1048576
    refused(publish.ask(body), 413, says="max_body_size")
    refused(publish.ask(body, length=None), 413, says="max_body_size")
    assert publish.ask(body[:1048576]).status == 200


def test_413_to_an_event_beyond_max_message_size(publish):
    refused(publish.event("a", data="x" * 65500), 413, "data", "max_message_size")
    refused(publish.ask([{"topic": "a"}, {"topic": "a", "data": "x" * 65500}]), 413, "events[1].data")
    assert publish.event("a", data="x" * 65000).status == 200


# ---- 415 ----

@pytest.mark.parametrize("content_type, says", [
    (None, "application/x-www-form-urlencoded"),
    ("text/plain", "application/json"),
    ("multipart/form-data; boundary=x", "http_build_query"),
    (FORM + "; charset=utf-16", "UTF-8"),
])
def test_415_says_what_to_send(publish, content_type, says):
    refused(publish.ask(b"topic=a", content_type=content_type), 415, "Content-Type", says)


# ---- 422 ----

@pytest.mark.parametrize("body, field", [
    ({}, "topic"),
    ({"topic": "a b"}, "topic"),
    ({"topic": "sse:log:a"}, "topic"),
    ({"topics": []}, "topics"),
    ({"topics": ["a", "{b}"]}, "topics[1]"),
    ({"topic": "a", "topics": ["b"]}, "topics"),
    ({"topic": "a", "event": "x\ny"}, "event"),
    ({"topic": "a", "event": "sse.open"}, "event"),
    ({"topic": "a", "key": ""}, "key"),
    ({"topic": "a", "idempotency_key": ""}, "idempotency_key"),
    ({"topic": "a", "retry": 5}, "retry"),
    ([], None),
    ([{"topic": "a"}] * 1001, None),
    ([{"topic": "a"}, 1], "events[1]"),
    ([{"topic": "a"}, {"topic": "a"}, {"topic": "a"}, {"topic": ""}], "events[3].topic"),
    ([{"topic": "a", "idempotency_key": "k"}], "events[0].idempotency_key"),
    (b'{"topic":"a","data":"\\ud800"}', "data"),
    (b'{"topic":"a","topic":"a"}', "topic"),
    (b'{"topic":"a","data":' + b"[" * 65 + b"]" * 65 + b"}", "data"),
])
def test_422_names_the_field_and_publishes_nothing(publish, redis, body, field):
    refused(publish.ask(body), 422, field)
    assert redis.call("KEYS", "*") == []


def test_422_to_an_array_in_a_form_says_json_encode(publish):
    refused(publish.form("topic=a&data%5Bid%5D=1"), 422, "data", "use json_encode")


def test_422_to_json_sent_as_a_form_says_so(publish):
    refused(publish.form('{"topic":"a"}'), 422, "topic", "application/json")


def test_422_to_a_key_that_was_used_for_another_body(publish, redis):
    assert publish.ask({"topic": "a"}, HTTP_IDEMPOTENCY_KEY="k").status == 200
    refused(publish.ask({"topic": "b"}, HTTP_IDEMPOTENCY_KEY="k"), 422, "Idempotency-Key", "another request")
    assert ids(redis, "b") == []


def test_422_to_two_keys_that_differ(publish):
    refused(publish.ask({"topic": "a", "idempotency_key": "x"}, HTTP_IDEMPOTENCY_KEY="y"), 422, "idempotency_key")


# ---- 503 ----

def test_503_within_a_second_when_redis_is_stopped(publish, redis):
    assert publish.event("a").status == 200
    redis.stop()
    answer = publish.event("a")
    refused(answer, 503, says="not published")
    assert answer.headers["retry-after"] == "1"
    assert answer.seconds < 1
    redis.start()
    assert publish.event("a").status == 200
    assert len(ids(redis, "a")) == 2


class FakeRedis:
    """Takes the sign-in, or refuses it, and answers everything else with the same words."""

    def __init__(self, words, to_auth="+OK"):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "redis://ann:geheim@127.0.0.1:%d/3" % self.listener.getsockname()[1]
        self.words, self.to_auth = words, to_auth
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(link,), daemon=True).start()

    def _answer(self, link):
        with link:
            while True:
                command = link.recv(1 << 20)
                if not command:
                    return
                reply = self.words
                if b"\r\nAUTH\r\n" in command:
                    reply = self.to_auth
                elif b"\r\nSELECT\r\n" in command:
                    reply = "+OK"
                link.sendall(reply.encode() + b"\r\n")

    def close(self):
        self.listener.close()


@pytest.mark.parametrize("error, says", [
    ("-LOADING Redis is loading the dataset in memory", "loading"),
    ("-READONLY You can't write against a read only replica.", "replica"),
    ("-OOM command not allowed when used memory > 'maxmemory'.", "out of memory"),
    ("-NOAUTH Authentication required.", "password"),
    ("-NOPERM this user has no permissions to run the 'evalsha' command", "access rules"),
    ("-MISCONF Redis is configured to save RDB snapshots", "save"),
    ("-CLUSTERDOWN The cluster is down", "Cluster"),
    ("-MASTERDOWN Link with MASTER is down", "master"),
    ("-NOREPLICAS Not enough good replicas to write.", "replicas"),
    ("-BUSY Redis is busy running a script.", "busy"),
    ("-ERR something else", "an error"),
    ("*1\r\n$3\r\nfoo", "an answer that is none"),
    (":1", "an answer that is none"),
    ("HTTP/1.0 400 Bad Request", "broke"),
])
def test_503_says_in_plain_words_what_redis_said(way, publish_program, processes, tmp, error, says):
    fake = FakeRedis(error)
    publish = way(publish_program, processes, tmp, redis_url=fake.url)
    answer = publish.event("a")
    fake.close()
    refused(answer, 503, says=says)
    assert answer.headers["retry-after"] == "1"
    assert "geheim" not in answer.detail + publish.log()
    assert "error: can't publish" in publish.log()


def test_503_when_redis_refuses_the_password(way, publish_program, processes, tmp):
    fake = FakeRedis("+OK", to_auth="-WRONGPASS invalid username-password pair or user is disabled.")
    publish = way(publish_program, processes, tmp, redis_url=fake.url)
    refused(publish.event("a"), 503, says="refuses the password")
    assert "geheim" not in publish.log()
    fake.close()


# ---- health ----

@pytest.mark.parametrize("params", [{"PATH_INFO": "/health"}, {"SCRIPT_NAME": "/publish/health"},
                                    {"SCRIPT_NAME": "/publish/health", "PATH_INFO": ""}])
def test_health_is_200_with_redis_and_503_without(guarded, redis, params):
    answer = guarded.ask(method="GET", content_type=None, **params)
    assert (answer.status, answer.json) == (200, {"status": "healthy"})
    redis.stop()
    answer = guarded.ask(method="GET", content_type=None, **params)
    refused(answer, 503)
    assert answer.headers["retry-after"] == "1"
    assert answer.seconds < 1


# ---- what goes in ----

def test_every_payload_is_carried_as_it_was_published_or_refused(publish_program, processes, tmp, redis):
    publish = FastCgi(publish_program, processes, tmp, redis_url=redis.url, history_size=1000)
    for row in load():
        if row.form:
            escaped = b"".join(b"%%%02X" % byte for byte in row.published)
            answer = publish.form(b"topic=t&data=" + escaped)
        else:
            data = b"" if row.published is None else b',"data":' + row.published
            answer = publish.ask(b'{"topic":"t"' + data + b"}")
        assert answer.status == (row.refused or 200), (row.name, answer)
        if row.refused:
            continue
        text = redis.call("XREVRANGE", "sse:log:t", "+", "-", "COUNT", 1)[0][1][1]
        carried = text[len(b'{"event":"message","data":'):text.rindex(b',"id":"')]
        if row.published is None:
            assert carried == b"{}"
        elif row.form and not row.object:
            assert json.loads(carried) == row.published.decode(), row.name
        else:
            assert carried == row.published, row.name


# ---- where it goes ----

def test_topic_prefix_goes_before_channels_and_keys(way, publish_program, processes, tmp, redis):
    publish = way(publish_program, processes, tmp, redis_url=redis.url, topic_prefix="app")
    with redis.connect() as listener:
        listener.call("SUBSCRIBE", "app:a")
        assert publish.event("a").status == 200
        assert listener.receive()[1] == b"app:a"
    keys = sorted(key.decode() for key in redis.call("KEYS", "*"))
    assert {key for key in keys if not key.startswith("app:sse:once:")} == {"app:sse:index", "app:sse:log:a", "app:sse:state"}
    assert len(keys) == 4


def test_user_password_and_database_of_the_url_are_used(way, publish_program, processes, tmp, redis):
    port = free_port()
    redis.call("CONFIG", "SET", "port", port)
    redis.call("ACL", "SETUSER", "ann", "on", ">p@ss/word", "~*", "&*", "+@all")
    publish = way(publish_program, processes, tmp, redis_url=f"redis://ann:p%40ss%2Fword@localhost:{port}/3")
    assert publish.event("a").status == 200
    with redis.connect() as connection:
        connection.call("SELECT", 3)
        assert connection.call("EXISTS", "sse:log:a") == 1
    redis.call("CONFIG", "SET", "requirepass", "geheim")
    publish = way(publish_program, processes, tmp, redis_url=f"redis://:geheim@127.0.0.1:{port}")
    assert publish.event("a").status == 200
    with pytest.raises(RedisError, match="NOAUTH"):
        redis.call("PING")


def test_history_settings_reach_the_log(way, publish_program, processes, tmp, redis):
    publish = way(publish_program, processes, tmp, redis_url=redis.url, history_size=2, history_seconds=60)
    for _ in range(3):
        publish.event("a")
    assert len(ids(redis, "a")) == 2
    assert 50 < redis.call("TTL", "sse:log:a") <= 60
    publish = way(publish_program, processes, tmp, redis_url=redis.url, history_size=0)
    assert publish.event("b").status == 200
    assert redis.call("EXISTS", "sse:log:b") == 0


def test_nothing_in_a_request_is_a_setting(publish_program, processes, tmp, redis):
    publish = FastCgi(publish_program, processes, tmp, redis_url=redis.url, publish_auth="remote_user")
    wrong = "redis://127.0.0.1:1"
    answer = publish.ask({"topic": "a"}, SSE_PUBLISH_AUTH="none", SSE_REDIS_URL=wrong, HTTP_PROXY="127.0.0.1:1",
                         TIDINGS_CONFIG="/nowhere")
    assert answer.status == 401
    answer = publish.ask({"topic": "a"}, REMOTE_USER="ann", SSE_REDIS_URL=wrong, REDIS_URL=wrong, SSE_TOPIC_PREFIX="other")
    assert answer.status == 200
    assert len(ids(redis, "a")) == 1

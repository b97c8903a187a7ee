"""POST …/publish/control on one Redis: a message reaches every streamer that is subscribed, a revocation stands in Redis until its
end, and what the answer says is so."""
import json
import os

import pytest

from controlling import REVOKED, USER, Subscriber, by, revoke, revoked, without_id  # noqa: F401
from faultproxy import Fault, FaultProxy
from publish_program import FORM, Cgi, FastCgi
from resp import Redis
from support import free_port, wait_until
from test_publish_answers import refused


def form(publish, body, **params):
    return publish.control(body, content_type=FORM, **params)


def bearer(token):
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def now_ms(redis):
    seconds, micros = redis.call("TIME")
    return int(seconds) * 1000 + int(micros) // 1000


@pytest.fixture(params=[Cgi, FastCgi], ids=lambda way: way.name)
def publish(request, by, redis):
    return by(redis.url, request.param)


@pytest.fixture
def fast(by, redis):
    return by(redis.url)


@pytest.fixture
def subscriber(redis):
    with redis.connect() as connection:
        yield Subscriber(connection)


# ---- messages ----

@pytest.mark.parametrize("body", [
    {"disconnect": {"user": "42"}}, {"disconnect": {"topic": "a"}}, {"recheck": {"user": "ü", "topic": "order:*"}},
    {"recheck": {"all": True}}, {"revoke": {"topic": "*", "seconds": 60}}, {"revoke": {"user": '"', "seconds": 0}},
])
def test_every_subscriber_gets_it_with_an_id_and_is_counted(publish, redis, subscriber, body):
    with redis.connect() as other:
        second = Subscriber(other)
        answer = publish.control(body)
        assert (answer.status, answer.json) == (200, {"heard_by": 2}), answer
        message = subscriber.message()
        assert without_id(message) == body and second.message() == message
        assert len(message["id"]) == 32
    assert answer.headers["content-type"] == "application/json" and answer.headers["cache-control"] == "no-store"


def test_nobody_who_hears_it_is_no_error(publish):
    assert publish.control({"disconnect": USER}).json == {"heard_by": 0}


def test_two_messages_have_two_ids(publish, subscriber):
    for _ in range(2):
        assert publish.control({"disconnect": USER}).status == 200
    first, second = subscriber.heard()
    assert first["id"] != second["id"] and without_id(first) == without_id(second)


@pytest.mark.parametrize("fields, message", [
    ("disconnect%5Buser%5D=42", {"disconnect": {"user": "42"}}),
    ("revoke[user]=42&revoke[topic]=a*&revoke[seconds]=3600", {"revoke": {"user": "42", "topic": "a*", "seconds": 3600}}),
    ("recheck[all]=1", {"recheck": {"all": True}}),
])
def test_a_form_as_php_makes_it_says_the_same(publish, subscriber, fields, message):
    assert form(publish, fields).json == {"heard_by": 1}
    assert without_id(subscriber.message()) == message


def test_disconnect_and_recheck_leave_nothing_in_redis(publish, redis):
    for verb in "disconnect", "recheck":
        assert publish.control({verb: {"all": True}}).status == 200
    assert redis.call("KEYS", "*") == []


def test_with_a_prefix_key_and_channel_have_it(by, redis):
    publish = by(redis.url, topic_prefix="shop")
    with redis.connect() as connection:
        subscriber = Subscriber(connection, "shop:sse:control")
        assert revoke(publish, USER, 60).json == {"heard_by": 1}
        assert subscriber.message()["revoke"] == {**USER, "seconds": 60}
    assert redis.call("KEYS", "*") == [b"shop:sse:revoked"]


def test_events_are_published_as_before_and_the_limit_of_events_is_not_touched(by, redis):
    publish = by(redis.url, rate_limit_per_second=1)
    for _ in range(5):
        assert publish.control({"disconnect": USER}).status == 200
    assert publish.ask({"topic": "a"}).status == 200
    assert publish.ask({"topic": "a"}).status == 429
    assert publish.control({"disconnect": USER}).status == 200


# ---- revocations ----

def test_a_revocation_stands_in_redis_until_its_end(publish, redis):
    before = now_ms(redis)
    assert revoke(publish, {"user": "42", "topic": "a*"}, 3600).status == 200
    after = now_ms(redis)
    [(member, end)] = revoked(redis).items()
    assert member == '+{"user":"42","topic":"a*"}'
    assert before + 3600000 <= end <= after + 3600000
    assert redis.call("PEXPIRETIME", REVOKED) == end


def test_its_end_never_moves_nearer(fast, redis):
    revoke(fast, USER, 3600)
    first = revoked(redis)
    revoke(fast, USER, 60)
    assert revoked(redis) == first
    revoke(fast, USER, 7200)
    [(_, end)] = revoked(redis).items()
    assert end - now_ms(redis) > 7000000
    assert redis.call("PEXPIRETIME", REVOKED) == end


def test_one_that_is_lifted_is_kept_as_such_to_its_end(fast, redis, subscriber):
    revoke(fast, USER, 3600)
    [(_, end)] = revoked(redis).items()
    assert revoke(fast, USER, 0).status == 200
    assert revoked(redis) == {'-{"user":"42"}': end}
    assert redis.call("PEXPIRETIME", REVOKED) == end
    assert [message["revoke"]["seconds"] for message in subscriber.heard()] == [3600, 0]
    assert revoke(fast, USER, 0).status == 200
    assert revoked(redis) == {'-{"user":"42"}': end}
    revoke(fast, USER, 60)
    [(member, end)] = revoked(redis).items()
    assert member == '+{"user":"42"}' and end - now_ms(redis) <= 60000


def test_only_the_same_selector_lifts_it(fast, redis):
    revoke(fast, USER, 3600)
    for selector in {"all": True}, {"user": "42", "topic": "*"}, {"user": "4"}, {"topic": "42"}:
        assert revoke(fast, selector, 0).status == 200
    assert list(revoked(redis)) == ['+{"user":"42"}']


def test_the_same_selector_is_the_same_however_it_was_spelled(fast, redis):
    fast.control(b'{"revoke":{"user":"42","topic":"a/b","seconds":60}}')
    fast.control(b'{ "revoke" : {"seconds":60, "topic":"a\\/b", "user":"\\u00342"} }')
    form(fast, "revoke[topic]=a/b&revoke[seconds]=60&revoke[user]=42")
    assert list(revoked(redis)) == ['+{"user":"42","topic":"a/b"}']


def test_a_lift_of_nothing_leaves_nothing(fast, redis, subscriber):
    assert revoke(fast, USER, 0).json == {"heard_by": 1}
    assert redis.call("KEYS", "*") == []
    assert len(subscriber.heard()) == 1


def test_ended_ones_are_forgotten(fast, redis):
    past = now_ms(redis) - 1
    redis.call("ZADD", REVOKED, past, '+{"user":"1"}', past, '-{"user":"2"}')
    revoke(fast, USER, 60)
    assert list(revoked(redis)) == ['+{"user":"42"}']


def test_one_that_has_ended_is_not_lifted_but_gone(fast, redis):
    redis.call("ZADD", REVOKED, now_ms(redis) - 1, '+{"user":"42"}', now_ms(redis) + 60000, '+{"user":"1"}')
    revoke(fast, USER, 0)
    assert list(revoked(redis)) == ['+{"user":"1"}']


def test_all_are_gone_with_the_last_one(fast, redis):
    revoke(fast, USER, 1)
    revoke(fast, {"user": "43"}, 1)
    wait_until(lambda: redis.call("EXISTS", REVOKED) == 0, what="the key expires")


FILL = """for i = 1, 99999 do
	local sign = i % 3 == 0 and '-' or '+'
	redis.call('ZADD', KEYS[1], ARGV[1] + i % 2 * ARGV[2], sign .. '{"user":"u' .. i .. '"}')
end"""


def fill(redis, later=0):
    """99999 members, that end in a minute, half of them later by so many milliseconds."""
    redis.call("EVAL", FILL, "1", REVOKED, now_ms(redis) + 60000, later)


def test_past_100000_it_is_503_and_nothing_is_told(fast, redis, subscriber):
    fill(redis)
    assert revoke(fast, USER, 60).status == 200
    full = revoke(fast, {"user": "43"}, 60)
    refused(full, 503, says="too many revocations are in force")
    assert full.headers["retry-after"] == "1"
    assert [message["revoke"]["user"] for message in subscriber.heard()] == ["42"]
    assert redis.call("ZCARD", REVOKED) == 100000
    # what needs no more room is done
    assert revoke(fast, USER, 600).status == 200
    assert revoke(fast, USER, 0).status == 200
    assert revoke(fast, USER, 60).status == 200
    assert revoke(fast, {"user": "u3"}, 60).status == 200  # it was lifted
    assert fast.control({"disconnect": USER}).status == 200
    assert redis.call("ZCARD", REVOKED) == 100000


def test_those_that_have_ended_do_not_count_against_the_100000(fast, redis):
    fill(redis, later=-120000)
    redis.call("ZADD", REVOKED, now_ms(redis) - 1, '+{"user":"1"}')
    assert revoke(fast, USER, 60).status == 200
    assert redis.call("ZCARD", REVOKED) == 50000


# ---- answers ----

def test_every_error_has_its_status_and_field_and_tells_nobody(publish, redis, subscriber):
    refused(publish.control(b""), 400, says="empty")
    refused(publish.control(b"{"), 400)
    refused(publish.control(b'{"disconnect":{"user":"42"}}', length="99"), 400, says="28 of the 99 bytes")
    refused(form(publish, "disconnect[user]=%4"), 400)
    refused(publish.control({"disconnect": USER}, **bearer("wrong")), 401, says="not known")
    refused(publish.control({"disconnect": USER}, HTTP_AUTHORIZATION=""), 401, says="CGIPassAuth On")
    refused(publish.control({"disconnect": USER}, **bearer("secret")), 403,
            says="token shop has no right to control (write +control behind it in publish_tokens_file)")
    refused(publish.control({"disconnect": USER}, **bearer("warden")), 403, says="not good for all topics")
    refused(publish.control({"disconnect": {"topic": "c"}}, **bearer("warden")), 403, says="topic c")
    refused(publish.control(method="PUT"), 405)
    refused(publish.control(b" " * 4097), 413, says="4096")
    refused(publish.control(b"{}", length="1048577"), 413, says="max_body_size")
    refused(publish.control(b"{}", content_type="text/plain"), 415, "Content-Type")
    refused(publish.control({"disconnect": {"topic": "a b"}}), 422, "disconnect.topic")
    refused(publish.control({"revoke": USER}), 422, "revoke.seconds")
    refused(publish.control({"recheck": {}}), 422, "recheck")
    refused(publish.control({"disconnect": USER, "id": "mine"}), 422, "id")
    refused(form(publish, "disconnect[user]=42&x=1"), 422, "x")
    assert subscriber.heard() == [] and redis.call("KEYS", "*") == []
    assert publish.control({"disconnect": {"topic": "b:1*"}}, **bearer("warden")).status == 200


@pytest.mark.parametrize("auth", ["none", "remote_user"])
def test_without_tokens_nobody_controls(publish_program, processes, tmp, redis, auth):
    publish = Cgi(publish_program, processes, tmp, redis_url=redis.url, publish_auth=auth)
    refused(publish.control({"disconnect": USER}, REMOTE_USER="ann"), 403,
            says="control needs publish_auth = token")


def test_options_and_other_methods_are_answered_as_by_publish(publish):
    options = publish.control(method="OPTIONS")
    assert (options.status, options.headers["allow"]) == (204, "POST, OPTIONS")
    assert publish.control(method="GET").headers["allow"] == "POST"


def test_a_tokens_file_with_another_right_is_refused_and_names_the_cure(by, redis):
    publish = by(redis.url)
    assert publish.control({"disconnect": USER}).status == 200
    publish.write_tokens("boss bossy +kontrol\n")
    assert publish.control({"disconnect": USER}).status == 200
    assert f"{publish.tokens_path}:1: there is one right that a token can have: write +control" in publish.log()


# ---- Redis does its worst ----

def test_503_when_redis_is_stopped_and_200_when_it_is_back(publish, redis):
    assert revoke(publish, USER, 60).status == 200
    redis.stop()
    answer = revoke(publish, USER, 60)
    refused(answer, 503, says="not sent: Redis can't be reached")
    assert answer.headers["retry-after"] == "1" and answer.seconds < 1
    redis.start()
    assert revoke(publish, USER, 60).status == 200
    assert "geheim" not in publish.log()


def test_a_frozen_redis_is_503_in_time_and_nobody_knows_whether_it_was_sent(by, redis):
    publish = by(redis.url, redis_timeout_ms=300)
    assert revoke(publish, USER, 60).status == 200
    redis.pause()
    answer = revoke(publish, USER, 60)
    refused(answer, 503, says="whether it was sent is not known: send it again")
    assert answer.seconds < 1
    redis.resume()
    assert revoke(publish, USER, 60).status == 200


def test_a_redis_that_does_not_know_the_script_is_given_it(fast, redis, subscriber):
    assert revoke(fast, USER, 60).status == 200
    redis.call("SCRIPT", "FLUSH")
    assert fast.control({"disconnect": USER}).status == 200
    assert len(subscriber.heard()) == 2


def test_a_link_that_breaks_on_the_way_back_costs_a_copy_with_the_same_id(by, fast, redis, tmp, subscriber):
    assert revoke(fast, {"user": "1"}, 60).status == 200  # Redis knows the script
    subscriber.heard()
    with FaultProxy(redis.path, os.path.join(tmp, "x"), [Fault(cut_down=1)]) as proxy:
        assert revoke(by(proxy.redis_url), USER, 60).status == 200
        assert proxy.seen == 2
    first, second = subscriber.heard()
    assert first == second and first["revoke"] == {**USER, "seconds": 60}
    assert list(revoked(redis)) == ['+{"user":"1"}', '+{"user":"42"}']


@pytest.mark.parametrize("verb", ["disconnect", "recheck"])
def test_a_redis_that_takes_no_writes_is_told_nothing_either(fast, redis, subscriber, verb):
    """Its subscribers are not the streamers, who are with the master that took its place."""
    redis.call("REPLICAOF", "127.0.0.1", free_port())
    refused(fast.control({verb: USER}), 503, says="not sent: Redis is a replica that takes no writes")
    redis.call("REPLICAOF", "NO", "ONE")
    redis.call("CONFIG", "SET", "min-replicas-to-write", 1)
    refused(fast.control({verb: USER}), 503, says="not sent: Redis has too few replicas to take writes")
    redis.call("CONFIG", "SET", "min-replicas-to-write", 0)
    assert subscriber.heard() == []
    assert fast.control({verb: USER}).json == {"heard_by": 1}


def test_a_redis_whose_memory_is_full_still_keeps_users_out(fast, redis, subscriber):
    redis.call("CONFIG", "SET", "maxmemory", 1)
    assert fast.event("a").status == 503
    assert revoke(fast, USER, 60).status == 200
    assert fast.control({"disconnect": USER}).status == 200
    assert len(subscriber.heard()) == 2 and list(revoked(redis)) == ['+{"user":"42"}']


def test_a_key_that_is_something_else_is_told_and_nothing_is_sent(fast, redis, subscriber):
    redis.call("SET", REVOKED, "x")
    refused(revoke(fast, USER, 60), 503, says="not sent: a key of tidings in Redis holds something else")
    assert subscriber.heard() == []


@pytest.mark.parametrize("command", ["zadd", "zrem", "zremrangebyscore", "zrange", "pexpireat", "publish", "zscore", "zcount"])
def test_without_a_right_nothing_is_done_at_all(by, redis, subscriber, command):
    redis.call("ACL", "SETUSER", "default", "on", "nopass", "+@all", f"-{command}")
    publish = by(redis.url)
    refused(revoke(publish, USER, 60), 503, says="not sent: Redis's access rules")
    redis.call("ACL", "SETUSER", "default", f"+{command}")
    assert redis.call("EXISTS", REVOKED) == 0 and subscriber.heard() == []

"""Who holds a signed ticket hears what it says, until it ends, and nobody else does (docs/PROTOCOL.md, Tickets)."""
import json
import os
import subprocess
import time

import pytest

import tickets
from auth_backend import reply
from http_raw import fetch
from streamer_program import Streamer, publish
from support import built, clean_environment, wait_until
from tickets import Keys, OTHER, SECRET, b64, claims, sign, ticket

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def keys(tmp):
    return Keys(tmp)


@pytest.fixture
def start(streamer_program, processes, redis, tmp, keys):
    def start(**settings):
        return Streamer(streamer_program, processes, redis.url, tmp,
                        **{"auth": "ticket", "ticket_keys_file": keys.path, "log_level": "debug", **settings}).start()
    return start


def ask(streamer, token, topics="a", headers=None):
    """The answer to who is refused."""
    return streamer.get(f"/events?topic={topics}&ticket={token}", headers={**STREAM, **(headers or {})})


# ---- good ones ----

@pytest.mark.parametrize("maker, alg, kid, key", [
    (tickets.by_php, "HS256", "main", None), (tickets.by_php, "RS256", "web", "rsa.pem"),
    (tickets.by_perl, "HS256", "main", None), (tickets.by_perl, "RS256", "web", "rsa.pem"),
    (tickets.by_perl, "ES256", "app", "ec.pem"),
    (tickets.by_node, "HS256", "main", None), (tickets.by_node, "RS256", "web", "rsa.pem"),
    (tickets.by_node, "ES256", "app", "ec.pem")])
def test_tickets_of_php_perl_and_node_are_good_and_nothing_in_them_can_be_changed(maker, alg, kid, key, start, keys):
    token = maker(alg, kid, keys.read(key) if key else SECRET, json.dumps(claims("a", "shop:*")))
    streamer = start()
    with streamer.live(f"a,shop:1&ticket={token}"):
        pass
    head, _, signature = token.split(".")
    assert ask(streamer, f"{head}.{b64(json.dumps(claims('*')).encode())}.{signature}").status == 401
    other = "B" if signature[0] == "A" else "A"
    assert ask(streamer, token.rpartition(".")[0] + "." + other + signature[1:]).status == 401


def test_a_ticket_may_come_as_bearer_as_parameter_as_cookie_and_in_a_body(start):
    streamer = start(ticket_cookie="pass")
    token = ticket("a")
    for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"x=1; pass={token}; y=2"}):
        with streamer.live("a", headers={**STREAM, **headers}):
            pass
    with streamer.live(f"a&ticket={token}"):
        pass
    for kind, body in (("application/x-www-form-urlencoded", f"topic=a&ticket={token}"),
                       ("application/json", json.dumps({"topics": ["a"], "ticket": token}))):
        with streamer.live("a", method="POST", headers={**STREAM, "Content-Type": kind}, body=body.encode()):
            pass
    assert streamer.prometheus()['sse_tickets{outcome="allow"}'] == 5


def test_a_ticket_is_for_its_topics_alone_and_the_first_other_one_is_named(start):
    streamer = start()
    answer = ask(streamer, ticket("a", "shop:*"), "a,shop:1,b,c")
    assert (answer.status, answer.json) == (403, {"detail": "Not authorized to access topic: b"})
    assert ask(streamer, ticket(), "a").status == 403
    with streamer.live(f"a,b,c&ticket={ticket('*')}"):
        pass


# ---- others ----

def unsigned(said, **header):
    return b64(json.dumps({"alg": "none", **header}).encode()) + "." + b64(json.dumps(said).encode()) + "."


@pytest.mark.parametrize("make, detail", [
    (lambda keys: unsigned(claims("a")), "The ticket is not valid"),
    (lambda keys: unsigned(claims("a"), alg="HS256", kid="main"), "The ticket is not valid"),
    (lambda keys: sign(claims("a"), alg="none"), "The ticket is not valid"),
    (lambda keys: sign(claims("a"), keys.read("rsa.pub"), kid="web"), "The ticket is not valid"),
    (lambda keys: sign(claims("a"), keys.read("rsa.pub"), kid="web", alg="RS256"), "The ticket is not valid"),
    (lambda keys: sign(claims("a"), keys.read("ec.pub")), "The ticket is not valid"),
    (lambda keys: sign(claims("a"), OTHER), "The ticket is not valid"),
    (lambda keys: sign(claims("a"), kid="web"), "The ticket is not valid"),
    (lambda keys: sign(claims("a"), kid="gone"), "The ticket is not valid"),
    (lambda keys: sign({"topics": ["a"]}), "The ticket is not valid"),
    (lambda keys: sign({**claims(), "topics": "a"}), "The ticket is not valid"),
    (lambda keys: "x", "The ticket is not valid"),
    (lambda keys: ticket("a", nbf=time.time() + 60), "The ticket is not valid yet"),
    (lambda keys: ticket("a", iat=time.time() + 60), "The ticket is not valid yet"),
    (lambda keys: ticket("a", seconds=-1), "The ticket has expired"),
])
def test_other_tickets_are_401_in_these_words(make, detail, start, keys):
    streamer = start()
    answer = ask(streamer, make(keys))
    assert (answer.status, answer.json) == (401, {"detail": detail})
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    counted = streamer.prometheus()
    assert counted['sse_tickets{outcome="deny"}'] + counted['sse_tickets{outcome="expired"}'] == 1


def test_without_a_ticket_one_is_asked_for(start):
    answer = start().get("/events?topic=a", headers=STREAM)
    assert (answer.status, answer.json) == (401, {"detail": "A ticket is needed"})
    assert answer.headers["www-authenticate"] == "Bearer"


def test_no_ticket_gets_into_the_log(start):
    streamer = start()
    good, bad = ticket("a"), sign(claims("a"), OTHER)
    with streamer.live(f"a&ticket={good}"):
        ask(streamer, bad)
    wait_until(lambda: "refused (bad_ticket" in streamer.log())
    for token in (good, bad):
        assert not any(part in streamer.log() for part in token.split("."))


# ---- keys ----

def test_keys_are_changed_while_streams_are_open(start, keys, bus):
    streamer = start()
    new = sign(claims("a"), OTHER, kid="new")
    assert ask(streamer, new).status == 401
    with streamer.live(f"a&ticket={ticket('a')}") as stream:
        keys.write(f"main HS256 {SECRET}", f"new HS256 {OTHER}")
        wait_until(lambda: streamer.get(f"/events?topic=a&ticket={new}", method="HEAD").status == 200)
        assert streamer.get(f"/events?topic=a&ticket={ticket('a')}", method="HEAD").status == 200
        keys.write("not a key")
        wait_until(lambda: (ask(streamer, "x"), "the keys from before go on counting" in streamer.log())[1])
        assert streamer.get(f"/events?topic=a&ticket={new}", method="HEAD").status == 200
        keys.write(f"new HS256 {OTHER}")
        wait_until(lambda: streamer.get(f"/events?topic=a&ticket={ticket('a')}", method="HEAD").status == 401)
        event_id = publish(bus, "a")
        assert stream.take("x").id == event_id


@pytest.mark.parametrize("settings, words", [
    ({"auth": "ticket"}, "auth = ticket (--set) demands ticket_keys_file"),
    ({"auth": "url,ticket", "ticket_keys_file": "/x"}, "auth = url,ticket (--set) demands auth_url"),
    ({"auth": "public,ticket", "ticket_keys_file": "/x"}, "public stands alone"),
    ({"auth": "ticket", "ticket_keys_file": "/nowhere"}, "cannot read ticket_keys_file /nowhere"),
    ({"auth": "ticket", "ticket_keys_file": "{tmp}/short"}, "short:2: a secret for HS256 has 32 bytes at least"),
])
def test_wrong_settings_end_the_start_with_2_and_words(settings, words, tmp, streamer_program):
    with open(os.path.join(tmp, "short"), "w", encoding="utf-8") as file:
        file.write("# mine\nmain HS256 secret\n")
    ran = subprocess.run([streamer_program, "--check", *(f"--set={name}={value.replace('{tmp}', tmp)}"
                                                         for name, value in settings.items())],
                         env=clean_environment(), stderr=subprocess.PIPE, encoding="utf-8", check=False)
    assert ran.returncode == 2 and words in ran.stderr, ran.stderr


# ---- the end ----

def test_a_stream_ends_when_its_ticket_does_and_says_so(start):
    streamer = start()
    exp = int(time.time()) + 4  # the fraction of a second is not looked at
    with streamer.live(f"a&ticket={sign({'topics': ['a'], 'exp': exp})}") as stream:
        block = stream.take("sse.expired")
        assert exp <= time.time() < exp + 4
        assert block.data == b"{}" and 100 <= int(block.retry) <= 1000
        stream.wait_closed()
    assert streamer.prometheus()["sse_streams_expired"] == 1


def test_an_expired_ticket_leads_to_where_a_new_one_is_made(start):
    streamer = start(ticket_renew_url="/ticket.php")
    old = ticket("a", seconds=-1)
    for target, where in ((f"/events?topic=a,b&ticket={old}&events=x", "/ticket.php?topic=a,b&events=x"),
                          (f"/events?ticket={old}&topic=a%2Cb", "/ticket.php?topic=a%2Cb")):
        for method in ("GET", "HEAD"):
            answer = streamer.get(target, method=method, headers=STREAM)
            assert (answer.status, answer.headers["location"]) == (307, where)
            assert answer.headers["cache-control"] == "no-store"
    assert ask(streamer, sign(claims("a", seconds=-1), OTHER)).status == 401
    assert streamer.get(f"/events/cursor?topic=a&ticket={old}").json == {"detail": "The ticket has expired"}
    posted = streamer.get(f"/events?ticket={old}", method="POST", body=b"topic=a",
                          headers={**STREAM, "Content-Type": "application/x-www-form-urlencoded"})
    assert (posted.status, posted.headers["location"]) == (307, "/ticket.php")
    other = start(ticket_renew_url="https://a.example/t?x=1")
    assert ask(other, old).headers["location"] == "https://a.example/t?x=1&topic=a"


def test_one_answer_is_held_no_longer_than_its_ticket(start):
    streamer = start()
    cursor = fetch(streamer.address, f"/events/cursor?topic=a&ticket={ticket('a')}").json["cursor"]
    begun = time.monotonic()
    answer = streamer.get(f"/events?topic=a&wait=60&last_event_id={cursor}&ticket={ticket('a', seconds=2)}",
                          headers={"Accept": "application/json"}, timeout=20)
    assert answer.status == 200 and answer.json["events"] == []
    assert time.monotonic() - begun < 15


def test_a_stream_begins_at_the_cursor_of_its_ticket_unless_it_has_its_own(start, bus):
    streamer = start()
    first, second, third = (publish(bus, "a") for _ in range(3))
    token = ticket("a", cursor=first)
    with streamer.open(f"a&ticket={token}") as stream:
        assert stream.take("sse.open").json["replayed"] == 2
        assert [stream.take("x").id for _ in range(2)] == [second, third]
    with streamer.open(f"a&ticket={token}", headers={**STREAM, "Last-Event-ID": second}) as stream:
        assert stream.take("sse.open").json["replayed"] == 1
        assert stream.take("x").id == third
    with streamer.open(f"a&ticket={ticket('a', cursor='nonsense')}") as stream:
        assert stream.take("sse.open").json["replayed"] == 0


# ---- beside the auth URL ----

def test_with_url_and_ticket_a_ticket_decides_and_without_one_the_url_is_asked(start, backend):
    streamer = start(auth="url,ticket", auth_url=backend.url)
    with streamer.live(f"a&ticket={ticket('a')}"):
        pass
    assert ask(streamer, ticket("b")).status == 403
    assert ask(streamer, ticket("a", seconds=-1)).status == 401
    assert backend.calls == []
    with streamer.live("a&ticket=&events=x", headers={**STREAM, "Authorization": "Bearer opaque"}):
        pass
    call, = backend.calls
    assert call["headers"]["authorization"] == "Bearer opaque"
    assert call["headers"]["x-original-uri"] == "/events?topic=a&events=x"
    backend.answer = lambda call: reply(403)
    assert streamer.get("/events?topic=a", headers=STREAM).status == 403


def test_print_config_shows_the_words_as_they_were_set(keys):
    said = subprocess.run([built("streamer/streamer"), "--print-config", "--set=auth=Ticket, url", "--set=auth_url=http://h/",
                           f"--set=ticket_keys_file={keys.path}"], env=clean_environment(), stdout=subprocess.PIPE,
                          encoding="utf-8", check=True).stdout
    assert "auth = Ticket, url  # --set\n" in said

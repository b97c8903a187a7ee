"""A page of the application looks at its session and hands the visitor over to a stream, inside the web server, as README shows
it: on each server that can, and not on those that can't."""
import os
import re
import urllib.parse

import pytest

from auth_backend import AuthBackend, reply
from browser import chromium
from fronts import Apache, Lighttpd, Nginx, Place
from http_raw import Stream, fetch
from php_fpm import PhpFpm
from streamer_program import Streamer, publish
from support import need, wait_until
from test_readme import README, with_end
from tickets import claims, sign

STREAM = {"Accept": "text/event-stream", "Accept-Encoding": "gzip"}
ANN = {"Cookie": "PHPSESSID=ann0123456789abcdefghij; session=0123456789abcdef"}  # of PHP, and of the Perl example
KEYS = re.search(r"^```\n(# kid .*\n.*\n)```$", README, re.M)[1]
SECRET = KEYS.split()[-1]


def as_local_redirect(php):
    """As README says it for Apache."""
    assert "X-Accel-Redirect: /tidings-stream?" in php and php.rstrip().endswith("]));")
    return php.replace("X-Accel-Redirect: /tidings-stream?", "Location: /events?").replace("]));", "]), true, 200);")


@pytest.fixture
def place(tmp, publish_program, redis):
    place = Place(tmp, publish_program)
    place.write_settings(redis_url=redis.url, publish_auth="none")
    os.mkdir(f"{tmp}/sessions")
    os.chmod(f"{tmp}/sessions", 0o777)
    sign_in(place)
    php = with_end("ticket.php", "header(\"Location: ", "handover.php")
    place.write("www/stream.php", php)
    place.write("www/forgets.php", php.replace("'last_event_id'", "'forgotten'"))
    place.write("www/local.php", as_local_redirect(php))
    place.write("www/redirect.php", php.replace("X-Accel-Redirect: /tidings-stream?", "Location: /events?"))
    perl = with_end("ticket.pl", "print \"Status: 307", "handover.pl")
    place.write("www/stream.pl", perl.replace("/var/lib/shop/sessions", f"{tmp}/sessions"))
    os.chmod(os.path.join(tmp, "www", "stream.pl"), 0o755)
    return place


def sign_in(place):
    os.chmod(place.write("sessions/sess_ann0123456789abcdefghij", 'user|s:3:"ann";'), 0o666)
    place.write("sessions/0123456789abcdef", "ann\n")


def sign_out(place):
    for name in os.listdir(f"{place.folder}/sessions"):
        place.write(f"sessions/{name}", "")


@pytest.fixture
def streamer(place, processes, redis, streamer_program):
    keys = place.write("ticket-keys", KEYS)
    streamer = Streamer(streamer_program, processes, redis.url, place.folder, address=place.streamer_socket, auth="ticket",
                        ticket_keys_file=keys, retry_ms=200, cors_origins="https://a.example").start()
    place.open_to_the_web_server(place.streamer_socket)
    return streamer


# ---- the servers ----

def nginx_fpm(place, processes):
    """One process of PHP, so that a stream that kept it would keep all others out."""
    front = Nginx(place, processes)
    front.php = PhpFpm(place.folder, place.run, processes, children=1,
                       lines=[f"php_value[session.save_path] = {place.folder}/sessions"]).start()
    front.more = f"""gzip on; gzip_types text/event-stream; gzip_min_length 0;
        location ~ \\.php$ {{
            include /etc/nginx/fastcgi.conf; fastcgi_pass unix:{front.php.path};
            error_page 502 503 504 =200 @tidings_busy;
        }}"""
    front.page = "/stream.php"
    return front


def nginx_proxy(place, processes):
    """The page is an application's that nginx reaches over HTTP."""
    app = AuthBackend(("127.0.0.1", 0))
    processes.checks.append(app.close)
    app.answer = lambda call: handed_over(place, call["headers"])
    front = Nginx(place, processes)
    front.app_port, front.page = app.server.server_address[1], "/app/stream"
    return front


def handed_over(place, headers):
    with open(f"{place.folder}/sessions/0123456789abcdef", encoding="utf-8") as file:
        if "cookie" not in headers or file.read() != "ann\n":
            return reply(401)
    stream = {"topic": "comments,user:ann", "ticket": sign(claims("comments", "user:ann"), SECRET),
              "last_event_id": headers.get("last-event-id", "")}
    return reply(200, headers={"X-Accel-Redirect": "/tidings-stream?" + urllib.parse.urlencode(stream)})


APACHE_CGI = """
<LocationMatch "^/[a-z]+\\.pl$">
    SetHandler cgi-script
    Options +ExecCGI
</LocationMatch>
<LocationMatch "^/[a-z]+\\.php$">
    SetHandler fcgid-script
    Options +ExecCGI
    FcgidWrapper "/usr/bin/php-cgi -d session.save_path={sessions}" .php
</LocationMatch>
"""


def apache_cgid(place, processes):
    need("perl")
    front = Apache(place, processes)
    front.more, front.page = APACHE_CGI.format(sessions=f"{place.folder}/sessions"), "/stream.pl"
    return front


def apache_fcgid(place, processes):
    need("php-cgi")
    front = apache_cgid(place, processes)
    front.page = "/local.php"
    return front


def lighttpd_cgi(place, processes):
    need("perl")
    front = Lighttpd(place, processes)
    front.more, front.page = """
static-file.exclude-extensions = ( ".php", ".pl" )
$HTTP["url"] =~ "\\.pl($|\\?)" { cgi.assign = ( ".pl" => "/usr/bin/perl" ) cgi.local-redir = "enable" }
""", "/stream.pl"
    return front


SERVERS = [nginx_fpm, nginx_proxy, apache_cgid, apache_fcgid, lighttpd_cgi]


@pytest.fixture(params=SERVERS, ids=lambda server: server.__name__)
def front(request, place, streamer, processes):
    front = request.param(place, processes).start()
    front.name = request.param.__name__
    return front


@pytest.fixture
def nginx(place, streamer, processes):
    return nginx_fpm(place, processes).start()


def hand_over(front, query="", **headers):
    return Stream(front.address, front.page + query, headers={**STREAM, **ANN, **headers})


# ---- what holds for all ----

def test_a_signed_in_visitor_hears_the_topics_of_the_page_each_event_at_once(front, bus):
    with hand_over(front) as stream:
        assert stream.head.status == 200
        assert stream.head.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert "content-encoding" not in stream.head.headers
        assert stream.opened().json["topics"] == ["comments", "user:ann"]
        for i in range(5):
            event = publish(bus, "user:ann", data=str(i))
            assert stream.take("x").id == event


def test_the_visitor_sees_nothing_of_the_ticket(front):
    with hand_over(front) as stream:
        stream.opened()
        assert b"ticket" not in stream.raw and b"eyJ" not in stream.raw
        assert not {"location", "x-accel-redirect"} & set(stream.head.headers)


def test_a_stranger_and_who_has_signed_out_are_refused(front, place):
    assert fetch(front.address, front.page, headers=STREAM).status == 401
    sign_out(place)
    assert fetch(front.address, front.page, headers={**STREAM, **ANN}).status == 401


def test_what_stands_in_the_query_of_the_page_adds_no_topic(front, bus):
    with hand_over(front, "?topic=secret&topics=secret&ticket=" + sign(claims("*"), SECRET)) as stream:
        assert stream.opened().json["topics"] == ["comments", "user:ann"]
        publish(bus, "secret")
        publish(bus, "comments", name="end")
        assert stream.events_until("end") == []


@pytest.mark.parametrize("kind, body", [("application/x-www-form-urlencoded", b"topic=secret&ticket="),
                                        ("application/json", b'{"topics":["secret"]}')])
def test_a_body_adds_no_topic(front, kind, body):
    with Stream(front.address, front.page, method="POST", body=body, headers={**STREAM, **ANN, "Content-Type": kind}) as stream:
        if front.name == "lighttpd_cgi":  # the body is gone, its length is still said
            assert stream.head.status == 413
        else:
            assert stream.opened().json["topics"] == ["comments", "user:ann"]


def test_who_comes_back_to_the_page_goes_on_where_it_was(front, bus):
    with hand_over(front) as stream:
        position = stream.opened().id
    missed = publish(bus, "comments")
    with hand_over(front, **{"Last-Event-ID": position}) as stream:
        assert stream.opened().json["resumed"] is True
        assert stream.take("x").id == missed


def test_with_the_streamer_stopped_the_page_leads_to_a_stream_that_says_when_to_come_back(front, streamer):
    streamer.stop()
    answer = fetch(front.address, front.page, headers={**STREAM, **ANN, "Origin": "https://a.example"})
    assert answer.status == 200, answer.raw
    kind, *charsets = answer.headers["content-type"].lower().split("; ")
    assert kind == "text/event-stream" and charsets in ([], ["charset=utf-8"])
    assert re.fullmatch(rb'retry: \d+\nevent: sse.busy\ndata: {"detail":"The event stream is restarting"}\n\n', answer.body)
    assert answer.headers["access-control-allow-origin"] == "https://a.example"


def test_one_answer_is_handed_over_like_a_stream(front, bus):
    with hand_over(front) as stream:
        position = stream.opened().id
    missed = publish(bus, "comments")
    answer = fetch(front.address, front.page, headers={**ANN, "Accept": "application/json", "Last-Event-ID": position})
    assert [event["id"] for event in answer.json["events"]] == [missed]


# ---- nginx: nothing of the visitor's goes along ----

def test_nobody_gets_to_the_streamer_past_the_page(nginx):
    assert fetch(nginx.address, f"/tidings-stream?topic=a&ticket={sign(claims('a'), SECRET)}").status == 404


def test_head_is_handed_over_like_a_stream(nginx):
    assert "x-sse-cursor" in fetch(nginx.address, nginx.page, method="HEAD", headers={**STREAM, **ANN}).headers


@pytest.mark.parametrize("headers", [
    {"Authorization": "Bearer e30.e30.e30"}, {"Last-Event-ID": "1-0"}, {"Content-Type": "x"},
    {"X-Accel-Redirect": "/events?topic=secret"}, {"X-Forwarded-For": "6.6.6.6"}], ids=str)
def test_a_header_of_the_visitors_changes_nothing(nginx, headers):
    nginx.page = "/forgets.php"
    with hand_over(nginx, **headers) as stream:
        assert stream.opened().json == {"topics": ["comments", "user:ann"], "resumed": False, "replayed": 0, "reset": []}


def test_a_page_opens_its_stream_at_the_position_that_it_was_read_at(nginx, bus):
    publish(bus, "comments")
    position = publish(bus, "comments")
    later = publish(bus, "comments")
    with hand_over(nginx, f"?last_event_id={position}") as stream:
        assert stream.opened().json["replayed"] == 1
        assert stream.take("x").id == later


def test_streams_leave_php_to_others(nginx):
    """It has one process."""
    streams = [hand_over(nginx) for _ in range(5)]
    for stream in streams:
        stream.opened()
        stream.close()


def test_with_php_stopped_the_page_says_when_to_come_back(nginx):
    nginx.php.stop()
    assert b"event: sse.busy" in fetch(nginx.address, nginx.page, headers={**STREAM, **ANN}).body


def test_when_its_ticket_expires_the_browser_comes_back_to_the_page_and_misses_nothing(nginx, place, bus):
    short = with_end("ticket.php", "header(\"Location: ", "handover.php").replace("time() + 300", "time() + 2")
    assert short.count("time() + 2") == 1
    place.write("www/short.php", short)
    nginx.page = "/short.php"
    with hand_over(nginx) as stream:
        position = stream.opened().id
        first = publish(bus, "comments")
        assert stream.take("x").id == first
        assert 100 <= int(stream.take("sse.expired").retry) <= 1000
    missed = [publish(bus, "comments") for _ in range(3)]
    with hand_over(nginx, **{"Last-Event-ID": first}) as stream:
        assert stream.opened().json["replayed"] == 3
        assert [stream.take("x").id for _ in missed] == missed
        stream.take("sse.expired")
    sign_out(place)
    assert fetch(nginx.address, nginx.page, headers={**STREAM, **ANN, "Last-Event-ID": position}).status == 401


PAGE = """<!doctype html><title>t</title><script>
window.seen = []; window.opens = [];
window.source = new EventSource('/short.php');
source.addEventListener('sse.open', (e) => opens.push(JSON.parse(e.data)));
source.addEventListener('x', (e) => seen.push([e.lastEventId, e.data]));
</script>"""


def test_a_window_is_handed_over_again_and_again_hears_everything_once_and_after_signing_out_no_more(nginx, place, bus, tmp):
    place.write("www/short.php", with_end("ticket.php", "header(\"Location: ", "handover.php").replace("+ 300", "+ 2"))
    place.write("www/page.html", PAGE)
    os.mkdir(os.path.join(tmp, "b"))
    browser = chromium(os.path.join(tmp, "b"))
    try:
        browser.get(f"http://127.0.0.1:{nginx.port}/health")
        for name, value in (cookie.split("=") for cookie in ANN["Cookie"].split("; ")):
            browser.add_cookie({"name": name, "value": value})
        browser.get(f"http://127.0.0.1:{nginx.port}/page.html")

        def look(name):
            return browser.execute_script(f"return {name}")
        wait_until(lambda: look("opens.length") == 1)
        published = []

        def expired_twice():
            if len(published) - look("seen.length") < 20:  # the log has room for all that a window away misses
                published.append([publish(bus, "comments", data=str(len(published))), str(len(published))])
            return look("opens.length") >= 3
        wait_until(expired_twice, timeout=30)
        wait_until(lambda: look("seen.length") == len(published))
        assert look("seen") == published
        assert all(opened["resumed"] and opened["reset"] == [] for opened in look("opens.slice(1)"))
        sign_out(place)
        wait_until(lambda: look("source.readyState") == 2, timeout=20, what="the window gives up")
    finally:
        browser.quit()


# ---- those that can't ----

def test_apache_with_php_fpm_passes_the_redirect_on_to_the_browser(place, streamer, processes):
    php = PhpFpm(place.folder, place.run, processes,
                 lines=[f"php_value[session.save_path] = {place.folder}/sessions"]).start()
    front = Apache(place, processes)
    front.more = f'<LocationMatch "\\.php$">\nSetHandler "proxy:unix:{php.path}|fcgi://localhost/"\n</LocationMatch>'
    front.start()
    for name, status in (("/local.php", 200), ("/redirect.php", 302)):
        answer = fetch(front.address, name, headers={**STREAM, **ANN})
        assert answer.status == status and answer.headers["location"].startswith("/events?topic=comments"), name


def test_lighttpd_with_fastcgi_passes_the_redirect_on_to_the_browser_which_gets_to_the_stream_by_it(place, streamer, processes):
    php = PhpFpm(place.folder, place.run, processes,
                 lines=[f"php_value[session.save_path] = {place.folder}/sessions"]).start()
    front = Lighttpd(place, processes)
    front.more = f'fastcgi.server += ( ".php" => (( "socket" => "{php.path}" )) ) static-file.exclude-extensions = ( ".php" )\n' \
                 'cgi.local-redir = "enable"'
    front.start()
    for name in ("/local.php", "/redirect.php"):
        answer = fetch(front.address, name, headers={**STREAM, **ANN})
        assert answer.status == 302
        with Stream(front.address, answer.headers["location"]) as stream:
            assert stream.opened().json["topics"] == ["comments", "user:ann"]

"""A real EventSource behind each web server: it hears, and when the streamer is gone for a while it comes back by itself;
what goes in comes out as it was published."""
import json
import os
import urllib.parse

import pytest

import payloads
from browser import chromium
from fronts import FRONTS, Lighttpd, Place
from http_raw import Stream, fetch
from streamer_program import Streamer, publish
from support import wait_until

PAGE = """<!doctype html><title>t</title><script>
window.seen = []; window.opens = 0; window.busy = 0;
window.source = new EventSource('/events?topic=a');
source.addEventListener('sse.open', () => { opens++; });
source.addEventListener('sse.busy', () => { busy++; });
for (const name of ['x', 'message'])
    source.addEventListener(name, (e) => seen.push([e.type, e.lastEventId, e.data]));
</script>"""


@pytest.fixture
def browser(tmp):
    folder = os.path.join(tmp, "b")
    os.mkdir(folder)
    driver = chromium(folder)
    yield driver
    driver.quit()


@pytest.fixture
def place(tmp, publish_program, redis):
    place = Place(tmp, publish_program)
    place.write_settings(redis_url=redis.url, publish_auth="none")
    place.write("www/page.html", PAGE)
    return place


def start_streamer(place, processes, redis, program):
    """Told to come back soon: the page of a test does not want to wait."""
    streamer = Streamer(program, processes, redis.url, place.folder, address=place.streamer_socket, retry_ms=200,
                        drain_seconds=0).start()
    place.open_to_the_web_server(place.streamer_socket)
    return streamer


def look(browser, expression):
    return browser.execute_script(f"return {expression}")


@pytest.mark.parametrize("name", ["nginx", "lighttpd", "apache"])
def test_a_window_comes_back_by_itself_and_has_missed_nothing(name, browser, place, processes, redis, streamer_program):
    streamer = start_streamer(place, processes, redis, streamer_program)
    front = FRONTS[name](place, processes).start()
    browser.get(f"http://127.0.0.1:{front.port}/page.html")
    wait_until(lambda: look(browser, "opens") == 1)
    with redis.connect() as bus:
        publish(bus, "a", data='"one"')
        wait_until(lambda: [row[2] for row in look(browser, "seen")] == ["one"])
        streamer.stop()
        wait_until(lambda: look(browser, "busy") >= 1, timeout=20, what="the page is told to wait")
        assert look(browser, "source.readyState") != 2, "EventSource gave up"
        missed = publish(bus, "a", data='"missed"')
        streamer.start()
        place.open_to_the_web_server(place.streamer_socket)
        wait_until(lambda: look(browser, "opens") == 2, timeout=40, what="the page is back")
        last = publish(bus, "a", data='"two"')
        wait_until(lambda: look(browser, "seen")[-2:] == [["x", missed, "missed"], ["x", last, "two"]])
        assert len(look(browser, "seen")) == 3


def test_a_window_behind_haproxy_comes_back_too(browser, place, processes, redis, streamer_program):
    """haproxy serves no pages: this one comes from lighttpd behind it."""
    streamer = start_streamer(place, processes, redis, streamer_program)
    pages = Lighttpd(place, processes).start()
    haproxy = FRONTS["haproxy"](place, processes)
    haproxy.app_port = pages.port
    haproxy.start()
    browser.get(f"http://127.0.0.1:{haproxy.port}/page.html")
    wait_until(lambda: look(browser, "opens") == 1)
    streamer.stop(how=9)
    wait_until(lambda: look(browser, "busy") >= 1, timeout=20)
    streamer.start()
    place.open_to_the_web_server(place.streamer_socket)
    wait_until(lambda: look(browser, "opens") == 2, timeout=40)


def body_of(row):
    if row.form:
        fields = b"topic=a&event=x"
        if row.published is not None:
            fields += b"&data=" + urllib.parse.quote_from_bytes(row.published).encode()
        return "application/x-www-form-urlencoded", fields
    data = b"" if row.published is None else b',"data":' + row.published
    return "application/json", b'{"topic":"a","event":"x"' + data + b"}"


def test_what_goes_in_comes_out_in_a_browser_in_curl_and_in_python_or_is_refused(
        browser, place, processes, redis, streamer_program):
    start_streamer(place, processes, redis, streamer_program)
    front = Lighttpd(place, processes).start()
    browser.get(f"http://127.0.0.1:{front.port}/page.html")
    wait_until(lambda: look(browser, "opens") == 1)
    delivered, rows = [], payloads.load()
    assert len(rows) >= 60
    with redis.connect() as python, Stream(front.address, "/events?topic=a") as curl:
        python.call("SUBSCRIBE", "a")
        curl.opened()
        for row in rows:
            content_type, body = body_of(row)
            answer = fetch(front.address, "/publish", "POST", {"Content-Type": content_type}, body)
            if row.refused:
                assert answer.status == row.refused, row.name
                assert answer.json["detail"], row.name
                continue
            assert answer.status == 200, (row.name, answer.raw)
            block = curl.take("x")
            assert block.data == row.delivered, row.name
            assert_python_reads_it(row, python.receive()[2])
            delivered.append([row.name, answer.json["id"], row.delivered.decode()])
    seen = wait_until(lambda: look(browser, "seen.length") == len(delivered) and look(browser, "seen"))
    for (name, event_id, text), (event, seen_id, seen_text) in zip(delivered, seen):
        assert (event, seen_id, seen_text) == ("x", event_id, text), name


def assert_python_reads_it(row, message):
    data = json.loads(message)["data"]
    lines = lambda text: text.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(data, str):
        assert lines(data) == row.delivered.decode(), row.name
    else:
        assert data == json.loads(row.delivered), row.name

"""A window whose tickets expire again and again gets new ones by itself, behind each web server, and misses nothing."""
import os

import pytest

from browser import chromium
from fronts import FRONTS, Place
from streamer_program import Streamer, publish
from support import wait_until
from ticket_app import TicketApp
from tickets import Keys


@pytest.fixture
def browser(tmp):
    folder = os.path.join(tmp, "b")
    os.mkdir(folder)
    driver = chromium(folder)
    yield driver
    driver.quit()


@pytest.fixture
def app():
    app = TicketApp(seconds=2)
    yield app
    app.close()


@pytest.fixture
def front(request, tmp, publish_program, processes, redis, streamer_program, app):
    place = Place(tmp, publish_program)
    place.write_settings(redis_url=redis.url, publish_auth="none")
    Streamer(streamer_program, processes, redis.url, tmp, address=place.streamer_socket, auth="ticket",
             ticket_keys_file=Keys(tmp).path, ticket_renew_url="/app/ticket", retry_ms=200).start()
    place.open_to_the_web_server(place.streamer_socket)
    front = FRONTS[request.param](place, processes)
    front.app_port = app.port
    return front.start()


def look(browser, expression):
    return browser.execute_script(f"return {expression}")


@pytest.mark.parametrize("front", ["nginx", "lighttpd", "apache", "haproxy"], indirect=True)
def test_over_two_expiries_a_window_hears_everything_once_and_a_guest_who_left_no_more(front, browser, app, bus):
    browser.get(f"http://127.0.0.1:{front.port}/app/page.html")
    wait_until(lambda: len(look(browser, "opens")) == 1)
    published = []

    def expired_twice():
        if len(published) - len(look(browser, "seen")) < 20:  # the log has room for all that a window away misses
            published.append([publish(bus, "a", data=f'"{len(published)}"'), str(len(published))])
        return look(browser, "expired") >= 2 and len(look(browser, "opens")) >= 3
    wait_until(expired_twice, timeout=30)
    wait_until(lambda: len(look(browser, "seen")) == len(published))
    assert look(browser, "seen") == published
    assert all(opened["resumed"] and opened["reset"] == [] for opened in look(browser, "opens")[1:])
    assert all(query == "topic=a" for query, _ in app.asked)
    assert all(cursor for _, cursor in app.asked[1:])
    app.closed = True
    wait_until(lambda: look(browser, "source.readyState") == 2, timeout=20, what="the window gives up")

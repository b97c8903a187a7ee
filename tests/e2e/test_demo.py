"""./demo and the task list: two people in two real browser windows, and the end without a trace."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

from demo_support import Demo, Listener, Visitor, Window, command_of, frame, until
from http_raw import Stream, fetch

KEYS = {"escape": "\ue00c", "enter": "\ue007", "tab": "\ue004", "space": " "}


@pytest.fixture(scope="module")
def demo():
    with Demo() as running:
        yield running.wait_ready()


@pytest.fixture(scope="module")
def ann(demo):
    window = Window(demo, "ann")
    yield window
    window.close()


@pytest.fixture(scope="module")
def bob(demo):
    window = Window(demo, "bob")
    yield window
    window.close()


def typed(window, text):
    """Keys for whatever has the focus."""
    window.driver.switch_to.active_element.send_keys(text)


# ---- two windows ----

def test_what_one_adds_renames_ticks_and_deletes_shows_in_the_other_window(ann, bob):
    ann.add("Water the fern")
    ann.shows("[ ] Water the fern")
    bob.shows("[ ] Water the fern")

    bob.press("Water the fern", "rename")
    field = bob.driver.switch_to.active_element
    field.clear()
    field.send_keys("Water the cactus" + KEYS["enter"])
    ann.shows("[ ] Water the cactus")

    ann.task("Water the cactus").find_element("css selector", "input[type=checkbox]").click()
    bob.shows("[x] Water the cactus")

    bob.press("Water the cactus", "delete")
    ann.does_not_show("Water the cactus")
    bob.does_not_show("Water the cactus")


def test_a_second_window_of_the_same_user_follows_too(demo, ann):
    second = Window(demo, "ann")
    try:
        ann.add("Seen twice", to="Ann’s own list")
        second.shows("[ ] Seen twice")
    finally:
        second.close()


def test_a_private_list_is_on_nobody_elses_page(ann, bob):
    assert ann.list("Ann’s own list") and not ann.list("Bob’s own list")
    assert bob.list("Bob’s own list") and not bob.list("Ann’s own list")


def test_a_new_shared_list_appears_and_goes_in_the_other_window_and_is_followed(ann, bob):
    ann.driver.find_element("id", "new-list-title").send_keys("Party" + KEYS["enter"])
    until("bob sees the new list", lambda: bob.list("Party"))
    bob.add("Balloons", to="Party")
    ann.shows("[ ] Balloons")
    ann.add("Lemonade", to="Party")
    bob.shows("[ ] Lemonade")

    assert not bob.list("Party").find_element("css selector", ".delete-list").is_displayed()
    ann.list("Party").find_element("css selector", ".delete-list").click()
    ann.driver.switch_to.alert.accept()
    until("the list is gone for both", lambda: not ann.list("Party") and not bob.list("Party"))
    until("both are live", lambda: ann.state() == bob.state() == "live")


def test_a_half_typed_name_and_the_focus_survive_what_others_do(ann, bob):
    ann.add("To be renamed")
    bob.shows("[ ] To be renamed")
    bob.press("To be renamed", "rename")
    bob.driver.switch_to.active_element.send_keys(" half ty")
    ann.task("To be renamed").find_element("css selector", "input[type=checkbox]").click()
    ann.add("Something else")
    bob.shows("[x] To be renamed", "[ ] Something else")

    typed(bob, "ped")
    assert bob.driver.switch_to.active_element.get_property("value").endswith("half typed")
    typed(bob, KEYS["escape"])
    assert bob.task("To be renamed"), "Escape leaves the name as it was"
    for title in ("To be renamed", "Something else"):
        ann.press(title, "delete")
        ann.does_not_show(title)


def test_the_keyboard_alone_is_enough(ann):
    ann.add("By keyboard")
    ann.shows("[ ] By keyboard")
    ann.run("arguments[0].querySelector('input[type=checkbox]').focus()", ann.task("By keyboard"))
    typed(ann, KEYS["space"])
    ann.shows("[x] By keyboard")
    typed(ann, KEYS["tab"])
    typed(ann, KEYS["enter"])
    typed(ann, " alone" + KEYS["enter"])
    until("the new name is there", lambda: any(t.endswith(" alone") for t in ann.titles()))
    assert "Rename" in ann.driver.switch_to.active_element.text
    typed(ann, KEYS["tab"])
    typed(ann, KEYS["enter"])
    ann.does_not_show(" alone")


def test_markup_in_a_name_is_shown_as_it_was_typed(ann, bob):
    name = "<img src=x onerror=\"document.title='owned'\"> & <b>bold</b>"
    ann.add(name)
    bob.shows(f"[ ] {name}")
    ann.press(name, "delete")
    bob.does_not_show(name)
    assert ann.driver.title == bob.driver.title == "Tasks"


def test_the_page_fits_a_phone_and_every_field_has_a_name(ann):
    ann.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                               {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True})
    try:
        assert ann.run("return document.scrollingElement.scrollWidth") <= 360
    finally:
        ann.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    nameless = ann.run("""return [...document.querySelectorAll('input, button')].filter((e) =>
        !e.ariaLabel && !e.labels?.length && !e.textContent.trim()).map((e) => e.outerHTML)""")
    assert nameless == []


def test_the_browser_has_nothing_to_complain_about(ann, bob):
    assert ann.complaints() == []
    assert bob.complaints() == []


def test_the_indicator_says_reconnecting_while_the_streamer_stands_still_and_then_live_again(demo, ann, bob):
    streamers = demo.pids("streamer")
    assert streamers
    for pid in streamers:
        os.kill(pid, signal.SIGSTOP)
    try:
        # nothing is closed, so only the missing heartbeats can tell
        until("ann's window says reconnecting", lambda: ann.state() == "reconnecting", seconds=60)
        assert ann.driver.find_element("id", "state").text.startswith("Reconnecting")
        bob.add("Added in the dark")
        bob.shows("[ ] Added in the dark")
    finally:
        for pid in streamers:
            os.kill(pid, signal.SIGCONT)
    until("ann's window is live again", lambda: ann.state() == "live", seconds=60)
    ann.shows("[ ] Added in the dark")
    until("bob's window is live again", lambda: bob.state() == "live", seconds=60)
    ann.press("Added in the dark", "delete")
    bob.does_not_show("Added in the dark")


# ---- who may hear what ----

def test_the_stream_of_a_private_list_is_refused_to_others_and_wants_a_sign_in(demo):
    ann, bob, stranger = Visitor(demo, "ann"), Visitor(demo, "bob"), Visitor(demo)
    lists = {entry["title"]: entry["id"] for entry in json.loads(ann.ask("GET", "/api.php/lists")[2])["lists"]}
    path = f"/events?topic=list:{lists['Ann’s own list']}"

    status, headers, _ = ann.ask("GET", path)
    assert (status, headers.get_content_type()) == (200, "text/event-stream")
    status, _, body = bob.ask("GET", path)
    assert status == 403 and "bob may not listen" in json.loads(body)["detail"]
    status, _, body = stranger.ask("GET", path)
    assert status == 401 and json.loads(body)["detail"] == "Sign in first"

    assert bob.ask("GET", f"/api.php/lists/{lists['Ann’s own list']}")[0] == 404
    assert bob.ask("POST", f"/api.php/lists/{lists['Ann’s own list']}/tasks", '{"title":"mine"}')[0] == 404


def test_a_stranger_gets_no_session_and_hears_comments_only(demo):
    stranger = Visitor(demo)
    for path, expected in (("/auth.php?topic=comments", 204), ("/auth.php?topic=list:1", 401),
                           ("/auth.php?topic=user:ann", 401), ("/auth.php", 401), ("/auth.php?topic[]=comments", 401)):
        status, headers, _ = stranger.ask("GET", path)
        assert (path, status, headers["Set-Cookie"]) == (path, expected, None)
    stranger.cookie = "tasklist=../tasks.db"
    assert stranger.ask("GET", "/auth.php?topic=list:1")[0] == 401


def test_another_sites_page_cannot_change_anything(demo):
    ann = Visitor(demo, "ann")
    evil = {"Origin": "http://evil.example"}
    assert ann.ask("DELETE", "/api.php/tasks/1", headers=evil)[0] == 403
    assert ann.ask("POST", "/signout.php", headers=evil)[0] == 403
    assert ann.ask("PATCH", "/api.php/tasks/1", '{"done":false}', {"Origin": demo.site})[0] == 200


def test_the_listener_is_admitted_within_a_second_while_the_session_is_locked_for_five(demo, tmp_path):
    ann = Visitor(demo, "ann")
    holder = tmp_path / "holder.php"
    holder.write_text(f"""<?php
        session_save_path({json.dumps(demo.runs()[0] + "/sessions")});
        session_name('tasklist');
        session_id({json.dumps(ann.session_id())});
        session_start();
        echo "locked as $_SESSION[user]\\n";
        flush();
        sleep(5);
        """)
    with subprocess.Popen(["php-cgi", "-d", "output_buffering=0", str(holder)], stdout=subprocess.PIPE) as slow:
        assert b"locked as ann\n" in slow.stdout, "the session is the one of the sign-in"
        begin = time.monotonic()
        with Listener(f"{demo.site}/events?topic=list:1", ann.cookie) as listener:
            until("the stream opens", lambda: listener.hears("event: sse.open"), seconds=5)
        took = time.monotonic() - begin
        assert slow.poll() is None, "the lock was held all the while"
    assert took < 1


# ---- from the shell, and when parts are away ----

def test_the_example_for_the_shell_works_as_it_is_printed(demo):
    listen, publish = re.search(r"(curl -N .*?)\n\s+(curl -H .*?)\n\n", demo.output(), re.S).groups()
    with subprocess.Popen(["sh", "-c", f"exec {listen}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as curl:
        os.set_blocking(curl.stdout.fileno(), False)
        heard = []

        def block(event):
            heard.append((curl.stdout.read() or b"").decode())
            return frame("".join(heard), event)

        until("the stream opens", lambda: block("sse.open"))
        answer = json.loads(subprocess.check_output(["sh", "-c", publish], stderr=subprocess.DEVNULL))
        event = until("the event arrives", lambda: block("comment_created"), seconds=2)
        curl.terminate()
    assert event == ["event: comment_created", 'data: {"id":1}', f"id: {answer['id']}", ""]


def test_a_wrong_token_publishes_nothing(demo):
    status, headers, _ = Visitor(demo).ask("POST", "/publish", '{"topic":"comments"}', {
        "Content-Type": "application/json", "Authorization": "Bearer wrong"})
    assert status == 401 and headers["WWW-Authenticate"].startswith("Bearer")


def test_the_stream_url_says_busy_and_nothing_else_changes_while_the_streamer_is_away(demo):
    address = os.path.join(demo.runs()[0], "streamer.sock")
    os.rename(address, address + ".away")
    try:
        for origin in (None, "https://example.org"):
            status, headers, body = Visitor(demo).ask("GET", "/events?topic=comments",
                                                      headers={"Origin": origin} if origin else None)
            assert (status, headers.get_content_type()) == (200, "text/event-stream")
            assert re.match(r"retry: \d+\nevent: sse\.busy\ndata: \{.*\}\n\n$", body)
            assert headers["Access-Control-Allow-Origin"] == origin
        assert Visitor(demo).ask("GET", "/health")[0] == 503
    finally:
        os.rename(address + ".away", address)
    until("the stream is back", lambda: "sse.busy" not in Visitor(demo).ask("GET", "/events?topic=comments")[2])
    assert Visitor(demo).ask("GET", "/events")[0] == 400, "the streamer's own no stays one"


def test_a_task_is_saved_though_redis_hangs(demo):
    ann = Visitor(demo, "ann")
    redis, = demo.pids("redis-server")
    os.kill(redis, signal.SIGSTOP)
    try:
        status, _, body = ann.ask("POST", "/api.php/lists/1/tasks", '{"title":"Saved anyway"}')
    finally:
        os.kill(redis, signal.SIGCONT)
    saved = [task["id"] for task in json.loads(body)["tasks"] if task["title"] == "Saved anyway"]
    assert status == 200 and len(saved) == 1
    until("publish works again", lambda: Visitor(demo).ask("GET", "/publish/health")[0] == 200)
    assert ann.ask("DELETE", f"/api.php/tasks/{saved[0]}")[0] == 200


# ---- on a Cluster ----

def test_on_a_cluster_what_is_published_arrives_through_both_streamers_and_all_of_it_ends():
    with Demo("--cluster") as demo:
        demo.wait_ready()
        assert len(demo.pids("redis-server")) == 3 and len(demo.pids("streamer")) == 4  # each with a worker
        assert "Beneath it are a Redis Cluster" in demo.output()
        run, = demo.runs()
        ann, topics = Visitor(demo, "ann"), ["comments", "list:1", "list:2"]  # of two nodes
        _, publish = re.search(r"(curl -N .*?)\n\s+(curl -H .*?)\n\n", demo.output(), re.S).groups()
        with Listener(f"{demo.site}/events?topic={','.join(topics)}", ann.cookie) as one, \
                Listener(f"{demo.site}/events?topic={','.join(topics)}", ann.cookie) as two:
            until("both streams are open", lambda: one.hears("sse.open") and two.hears("sse.open"))
            until("each streamer has one of them",
                  lambda: [streams_at(os.path.join(run, name)) for name in ("admin.sock", "admin-2.sock")] == [1, 1])
            for topic in topics:
                command = publish.replace("topic=comments", f"topic={topic}").replace('{"id":1}', f'{{"of":"{topic}"}}')
                assert json.loads(subprocess.check_output(["sh", "-c", command], stderr=subprocess.DEVNULL))["id"]
            for listener in (one, two):
                until("every event arrives", lambda: all(listener.hears(f'{{"of":"{topic}"}}') for topic in topics))
            assert demo.stop(signal.SIGINT) == (0, [], [])


def streams_at(admin):
    """How many streams the streamer with this admin address has."""
    return fetch(admin, "/metrics").json["connections"]["current"]


# ---- the end ----

@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda s: s.name)
def test_stopping_with_open_streams_leaves_no_process_and_no_file(how):
    with Demo() as demo:
        demo.wait_ready()
        assert {"redis-server", "lighttpd", "streamer", "publish", "php-cgi"} <= {
            name for name in ("redis-server", "lighttpd", "streamer", "publish", "php-cgi") if demo.pids(name)}
        with Listener(f"{demo.site}/events?topic=comments") as one, Listener(f"{demo.site}/events?topic=comments") as two:
            until("both streams are open", lambda: one.hears("sse.open") and two.hears("sse.open"))
            assert demo.stop(how) == (0, [], [])


def test_stopping_with_open_windows_leaves_nothing_and_they_come_to_the_sign_in_of_the_next_demo():
    with Demo() as demo:
        windows = [Window(demo.wait_ready(), user) for user in ("ann", "bob")]
        try:
            assert demo.stop(signal.SIGINT) == (0, [], [])
            until("the window notices", lambda: windows[0].state() == "reconnecting")
            with Demo(port=demo.port) as another:
                another.wait_ready()
                until("the page asks to sign in", lambda: windows[0].driver.current_url.endswith("/signin.php"),
                      seconds=60)
                windows[0].sign_in("ann")
        finally:
            for window in windows:
                window.close()


def test_a_window_shows_whoever_is_signed_in_now(demo):
    window, bob = Window(demo, "ann"), Visitor(demo, "bob")
    try:
        name, _, value = bob.cookie.partition("=")
        window.driver.add_cookie({"name": name, "value": value})  # as when bob signs in in another tab
        bob.ask("POST", "/api.php/lists/1/tasks", '{"title":"For the other tab"}')
        until("the window is bob's", lambda: window.list("Bob’s own list") and not window.list("Ann’s own list"))
    finally:
        window.close()


def test_signing_out_in_one_window_ends_that_users_streams_in_the_others(demo, bob):
    window, elsewhere = Window(demo, "ann"), Visitor(demo, "ann")
    with Stream(("127.0.0.1", demo.port), "/events?topic=user:ann", headers={"Cookie": elsewhere.cookie}) as stream:
        try:
            stream.opened()
            first = window.driver.current_window_handle
            window.driver.switch_to.new_window("tab")
            window.driver.get(demo.site)
            until("the second tab is live", lambda: window.driver.find_element("tag name", "body").get_attribute("data-live") == "live")
            window.driver.find_element("css selector", ".who button").click()
            assert stream.take("sse.revoked").json == {"topics": ["user:ann"]}
            window.driver.switch_to.window(first)
            until("the first tab is at the sign-in, without anybody's doing", lambda: "signin" in window.driver.current_url)
        finally:
            window.close()
    assert elsewhere.ask("GET", "/auth.php?topic=user:ann")[0] == 204  # another session of hers is not the one that ended
    bob.add("Bob is still here")
    bob.shows("[ ] Bob is still here")


@pytest.mark.parametrize("program", ["streamer", "lighttpd", "redis-server"])
def test_a_server_that_dies_ends_the_demo_which_names_it_and_cleans_up(program):
    with Demo() as demo:
        demo.wait_ready()
        family = [pid for name in ("lighttpd", "redis-server", "streamer", "publish", "php-cgi")
                  for pid in demo.pids(name)]
        os.kill(demo.first(program), signal.SIGKILL)
        assert demo.wait_end() == 1
        assert f"{program} ended by itself" in demo.output()
        assert demo.runs() == [] and [command_of(pid) for pid in family if command_of(pid)] == []


def test_a_port_that_is_taken_is_said_at_once(demo):
    with Demo(port=demo.port) as second:
        assert second.wait_end() == 1
        assert second.output().splitlines() == [f"demo: port {demo.port} is taken; try ./demo --port {demo.port + 1}"]


def test_a_wrong_port_is_a_usage_error():
    for port in ("0", "65536", "http"):
        result = subprocess.run([os.path.join(os.path.dirname(__file__), "../../demo"), "--port", port],
                                capture_output=True, text=True, timeout=10)
        assert result.returncode == 2 and "--port wants a number" in result.stderr

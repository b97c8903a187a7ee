"""A running ./demo, the windows that look at it, and the waiting for what they show."""

import glob
import http.client
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

from browser import chromium
from support import TOP, free_port, need, wait_until


def until(what, look, seconds=15):
    """Looks again and again until there is something true to see, and returns it."""
    return wait_until(look, seconds, what)


def children_of(pid):
    """Every process below pid, as {pid: its command line}."""
    parents = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8", errors="replace") as f:
                text = f.read()
        except OSError:
            continue
        parents[int(path.split("/")[2])] = int(text.rpartition(")")[2].split()[1])
    found = {}
    for child in parents:
        above = child
        while above in parents and above != pid:
            above = parents[above]
        if above == pid and child != pid:
            found[child] = command_of(child)
    return found


def command_of(pid):
    """A process's command line; empty when it is gone or only waits to be buried."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def hears_signals():
    """Also where the tests themselves were started by nohup, which makes all of theirs deaf to SIGHUP."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Demo:
    """./demo on a free port, with a folder of the test's for its files."""

    def __init__(self, *words, port=None):
        need("redis-server", "lighttpd", "php-cgi", "curl")
        self.port = port or free_port()
        self.site = f"http://127.0.0.1:{self.port}"
        self.folder = tempfile.mkdtemp(prefix="td.", dir="/tmp")
        self.output_path = os.path.join(self.folder, "output")
        with open(self.output_path, "wb") as output:
            self.process = subprocess.Popen(
                [os.path.join(TOP, "demo"), "--port", str(self.port), *words],
                env={**os.environ, "TMPDIR": self.folder},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=hears_signals,
            )

    def output(self):
        with open(self.output_path, encoding="utf-8") as f:
            return f.read()

    def wait_ready(self):
        def ready_or_dead():
            return "ready: " in self.output() or self.process.poll() is not None

        until("the demo says ready", ready_or_dead, seconds=300)
        assert self.process.poll() is None, self.output()
        return self

    def runs(self):
        """The temporary folders that the demo has made."""
        return glob.glob(os.path.join(self.folder, "tidings.*"))

    def pids(self, program):
        """The processes below the demo that run this program."""
        return [pid for pid, command in children_of(self.process.pid).items()
                if program in (os.path.basename(word) for word in command.split(" ")[:2])]

    def first(self, program):
        """Of these the one that is the parent of the others, or the only one."""
        pids = self.pids(program)
        return next(pid for pid in pids if set(pids) <= {pid, *children_of(pid)})

    def stop(self, how=signal.SIGTERM):
        """Stops it and returns its exit code, and what it left: processes and files."""
        family = list(children_of(self.process.pid))
        self.process.send_signal(how)
        return self.wait_end(), [command_of(pid) for pid in family if command_of(pid)], self.runs()

    def wait_end(self):
        return self.process.wait(timeout=60)

    def close(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Visitor:
    """A browser without a window: one user's cookie, for looking at the HTTP itself."""

    def __init__(self, demo, user=None):
        self.port = demo.port
        self.cookie = ""
        if user:
            form = urllib.parse.urlencode({"user": user, "password": user})
            status, headers, _ = self.ask("POST", "/signin.php", form,
                                          {"Content-Type": "application/x-www-form-urlencoded"})
            assert status == 303
            self.cookie = headers["Set-Cookie"].split(";")[0]

    def ask(self, method, path, body=None, headers=None):
        """One request; of a stream only what comes with the head."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            link.request(method, path, body, {**({"Cookie": self.cookie} if self.cookie else {}), **(headers or {})})
            answer = link.getresponse()
            streaming = answer.status == 200 and answer.headers.get_content_type() == "text/event-stream"
            return answer.status, answer.headers, (answer.read1() if streaming else answer.read()).decode()
        finally:
            link.close()

    def session_id(self):
        return self.cookie.split("=")[1]


class Listener:
    """curl -N on a stream, as the demo tells its visitors to."""

    def __init__(self, url, cookie=""):
        self.process = subprocess.Popen(
            ["curl", "-sN", "-H", f"Cookie: {cookie}", "-H", "Accept: text/event-stream", url],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        os.set_blocking(self.process.stdout.fileno(), False)
        self.heard = ""

    def hears(self, text):
        self.heard += (self.process.stdout.read() or b"").decode()
        return text in self.heard

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Window:
    """A Chromium window with a profile of its own, signed in as one user."""

    def __init__(self, demo, user):
        self.folder = tempfile.mkdtemp(prefix="window.", dir=demo.folder)
        self.driver = chromium(self.folder)
        self.driver.get(demo.site)
        self.sign_in(user)

    def sign_in(self, user):
        field, = until("the form to sign in", lambda: self.driver.find_elements("name", "user"))
        field.send_keys(user)
        self.driver.find_element("name", "password").send_keys(user + "\n")
        until(f"{user}'s window is live", lambda: self.state() == "live")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def state(self):
        return self.run("return document.body.dataset.live")

    def list_ids(self):
        return self.run("return [...document.querySelectorAll('.list')].map((e) => Number(e.dataset.list))")

    def list(self, title):
        return self.run("""return [...document.querySelectorAll('.list')]
                           .find((e) => e.querySelector('h2').textContent === arguments[0])""", title)

    def titles(self):
        """The tasks that the page shows, with a mark before those that are done."""
        return self.run("""return [...document.querySelectorAll('[role=listitem]')].map((e) =>
            (e.querySelector('input[type=checkbox]').checked ? '[x] ' : '[ ] ') + e.querySelector('.title').textContent)""")

    def task(self, title):
        return self.run("""return [...document.querySelectorAll('[role=listitem]')]
                           .find((e) => e.querySelector('.title').textContent === arguments[0])""", title)

    def add(self, title, to="Weekend trip"):
        self.list(to).find_element("css selector", "form.add input").send_keys(title + "\n")

    def press(self, title, button):
        """A button in a task's row: rename, delete, ..."""
        self.task(title).find_element("css selector", f".{button}").click()

    def shows(self, *titles):
        until(f"the page shows {titles}", lambda: set(titles) <= set(self.titles()))

    def does_not_show(self, title):
        until(f"the page does not show {title}", lambda: not any(t.endswith(title) for t in self.titles()))

    def complaints(self):
        """What the browser objected to: refused scripts, failed requests, errors."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def close(self):
        self.driver.quit()


def frame(text, event):
    """The lines of the first block of this event in a stream's text."""
    match = re.search(rf"^event: {re.escape(event)}\n(?:.+\n)*\n", text, re.M)
    return match.group(0).splitlines() if match else None

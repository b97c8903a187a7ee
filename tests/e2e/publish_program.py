"""publish_program: publish run by tests as web servers run it: as a CGI program, or as FastCGI processes behind a socket."""
import json
import os
import socket
import subprocess
import time

from fastcgi import Request
from support import clean_environment

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Answer:
    def __init__(self, text, seconds=0.0):
        head, _, self.body = text.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        self.status = int(self.headers.pop("status").split(" ")[0])
        self.json = json.loads(self.body) if self.body else None
        self.seconds = seconds

    @property
    def detail(self):
        return self.json["detail"]

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body!r}"


def make_params(method="POST", content_type=JSON, body=b"", length="right", **params):
    """Parameters as a web server gives them. length: right, None for none, or what to say."""
    made = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": method, "SCRIPT_NAME": "/publish", "SERVER_PROTOCOL": "HTTP/1.1"}
    if content_type is not None:
        made["CONTENT_TYPE"] = content_type
    if length is not None:
        made["CONTENT_LENGTH"] = str(len(body)) if length == "right" else length
    made.update(params)
    return made


def to_bytes(body):
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    return body.encode() if isinstance(body, str) else body


class Publish:
    """What both ways have in common. settings are those of tidings, in small letters. tokens: the text of a tokens file,
    whose first token goes with each request that brings none of its own; without it everybody may publish."""

    def __init__(self, program, processes, folder, tokens=None, **settings):
        self.program, self.processes, self.folder = program, processes, folder
        self.log_path = os.path.join(folder, f"publish.{id(self):x}.log")
        self.token = tokens and tokens.split()[1]
        if tokens:
            self.tokens_path = os.path.join(folder, f"tokens.{id(self):x}")
            self.write_tokens(tokens)
            settings.update(publish_auth="token", publish_tokens_file=self.tokens_path)
        settings.setdefault("publish_auth", "none")
        self.environment = clean_environment(**{"SSE_" + name.upper(): str(value) for name, value in settings.items()})

    def write_tokens(self, text):
        with open(self.tokens_path, "w", encoding="utf-8") as file:
            file.write(text)

    def ask(self, body=b"", **params):
        """Sends one request; the clock runs until the answer is there."""
        body = to_bytes(body)
        if self.token:
            params.setdefault("HTTP_AUTHORIZATION", f"Bearer {self.token}")
        started = time.monotonic()
        text = self.exchange(make_params(body=body, **params), body)
        return Answer(text, time.monotonic() - started)

    def event(self, topic="comments", **members):
        return self.ask({"topic": topic, **members})

    def control(self, body=b"", **params):
        """Tells the streamers something: {"disconnect": …}."""
        return self.ask(body, PATH_INFO="/control", **params)

    def form(self, body, **params):
        return self.ask(body, content_type=params.pop("content_type", FORM), **params)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


class Cgi(Publish):
    """A process for each request."""

    name = "CGI"

    def exchange(self, params, body):
        with open(self.log_path, "ab") as log:
            ran = subprocess.run([self.program], input=body, stdout=subprocess.PIPE, stderr=log,
                                 env={**self.environment, **params}, timeout=30, check=False)
        assert ran.returncode == 0, self.log()
        return ran.stdout

    def stop(self):
        pass


class FastCgi(Publish):
    """Processes that share a listening socket, as spawn-fcgi and web servers start them."""

    name = "FastCGI"

    def __init__(self, program, processes, folder, count=1, **settings):
        super().__init__(program, processes, folder, **settings)
        self.path = os.path.join(folder, f"p{id(self):x}")
        self.running = []
        with socket.socket(socket.AF_UNIX) as listener, open(self.log_path, "ab") as log:
            listener.bind(self.path)
            listener.listen(64)
            for _ in range(count):
                self.running.append(processes.start(program, env=self.environment, stdin=listener.fileno(),
                                                    stdout=subprocess.DEVNULL, stderr=log))
        self.process = self.running[0]

    def begin(self, body=b"", **params):
        """A request whose body is still to be sent."""
        return Request(self.path, make_params(body=to_bytes(body), **params))

    def exchange(self, params, body):
        return Request(self.path, params).send_body(body).end_body().answer()

    def stop(self):
        """Exit codes, after SIGTERM to all."""
        return [self.processes.stop(process) for process in self.running]

"""chaos_publishers: applications that publish as the plan says, each through a publish process of its own, and write down
what became of each event. Whatever ended without a clear answer is asked again when it has a key, as an application does."""
import json
import os
import socket
import subprocess
import threading
import time
from urllib.parse import urlencode

from chaos_plan import data_json, data_text
from chaos_records import Writer
from partitions import partition_of
from publish_program import FORM, JSON, FastCgi, Publish

TRIES = 12           # of one request with a key, or of one that was certainly not published
PAUSE_SECONDS = 0.15


class PublishProcess(FastCgi):
    """One FastCGI process behind a socket that outlives it, as a web server keeps it."""

    def __init__(self, program, processes, folder, **settings):
        Publish.__init__(self, program, processes, folder, **settings)
        self.path = os.path.join(folder, f"p{id(self):x}")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        self.start()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = self.processes.start(self.program, env=self.environment, stdin=self.listener.fileno(),
                                                stdout=subprocess.DEVNULL, stderr=log)

    def kill(self):
        """Returns its exit code if it was over already."""
        code = self.process.poll()
        self.process.kill()
        self.process.wait()
        return code

    def close(self):
        self.listener.close()


class Publisher(threading.Thread):
    """Carries out requests of the plan until stop is set."""

    def __init__(self, number, plan, publish, folder, begun, stop):
        super().__init__(daemon=True)
        self.number, self.plan, self.publish, self.begun, self.stop = number, plan, publish, begun, stop
        self.records = Writer(os.path.join(folder, f"published.{number}"))
        self.wrong = []
        self.made = 0  # requests, which number their keys

    def run(self):
        try:
            for request in self.plan["publishers"][self.number]:
                if self.stop.wait(max(0, self.begun + request["at"] - time.monotonic())):
                    break
                self.carry_out(request)
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append(f"publisher {self.number}: {error!r}")
        finally:
            self.records.close()

    # ---- one request ----

    def carry_out(self, request):
        """Asks until the answer is clear, as far as that is right."""
        self.made += 1
        body, params = self.encode(request)
        begin, outcome, ids = time.monotonic(), "refused", None
        for _ in range(TRIES):
            status, answer = self.ask(body, params)
            if status == 200:
                outcome, ids = "acknowledged", self.ids_in(answer, request)
                break
            if status == "unknown":
                outcome = "unknown"
                if not request["keyed"]:
                    break
            if self.stop.wait(PAUSE_SECONDS):
                break
        end = time.monotonic()
        again = None
        if ids and request["repeat"] and request["keyed"]:
            status, answer = self.ask(body, params)
            again = self.ids_in(answer, request) if status == 200 else None
        self.write(request, outcome, begin, end, ids, again)
        return ids

    def ids_in(self, answer, request):
        """Of each event its id, or on a Cluster its ids by partition, among which must be the one that is told first."""
        ids = answer.get("ids") or [answer["id"]]
        if "partitions" not in answer:
            return ids
        by_partition = answer["partitions"] if request["batch"] else [answer["partitions"]]
        count = self.plan["settings"]["partitions"]
        for i, n in enumerate(request["events"]):
            right = {str(partition_of(topic, count)) for topic in self.plan["events"][n][0]}
            first = str(partition_of(self.plan["events"][n][0][0], count))
            if set(by_partition[i]) != right or by_partition[i][first] != ids[i]:
                self.wrong.append(f"publisher {self.number}: event {n} of partitions {sorted(right)}: {answer}")
        return by_partition

    def write(self, request, outcome, begin, end, ids, again):
        until = time.monotonic()
        for i, n in enumerate(request["events"]):
            topics, name = self.plan["events"][n][:2]
            self.records.write(n, topics, name, outcome, begin, end, ids[i] if ids else None, until, again[i] if again else None)

    def ask(self, body, params):
        """(200, answer), ("refused", None) when it is certain that nothing was published, ("unknown", None)."""
        try:
            answer = self.publish.ask(body, **params)
        except (OSError, ValueError, KeyError):  # the process ended while it had the request
            return "unknown", None
        if answer.status == 200:
            return 200, answer.json
        if answer.status != 503:
            self.wrong.append(f"publisher {self.number}: {answer!r} to {body[:200]!r}")
        return "refused" if answer.detail.startswith("not published") else "unknown", None

    def encode(self, request):
        params = {"HTTP_IDEMPOTENCY_KEY": f"k{self.number}-{self.made}"} if request["keyed"] else {}
        events = [(n, *self.plan["events"][n]) for n in request["events"]]
        if request["form"]:
            n, topics, name, size, form = events[0]
            fields = [("topic", ",".join(topics)), ("event", name), ("data", data_text(n, size, form))]
            return urlencode(fields).encode(), {"content_type": FORM, **params}
        texts = [f'{{"topics":{json.dumps(topics)},"event":"{name}","data":{data_json(n, size, form)}}}'
                 for n, topics, name, size, form in events]
        text = "[" + ",".join(texts) + "]" if request["batch"] else texts[0]
        return text.encode(), {"content_type": JSON, **params}

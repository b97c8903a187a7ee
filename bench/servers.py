"""servers: what is measured, each started anew for each measurement, alone on the core of servers; its Redis, where it has
one, and all that helps run on the other core. A server that can't be had here says why in missing()."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

import http_raw  # noqa: E402
from redis_server import RedisServer  # noqa: E402
from support import PATH, Processes, built, clean_environment, free_port, wait_until  # noqa: E402

NCHAN = "/usr/lib/nginx/modules/ngx_nchan_module.so"
SERVER_CORE, LOAD_CORE = 0, 1


class CannotMeasure(Exception):
    """This server can't do that here; the text says why."""


def program(name):
    return shutil.which(name, path=PATH)


def on_core(core):
    """What a process that is started does first: where there are several cores, it stays on that one."""
    return (lambda: os.sched_setaffinity(0, {core})) if (os.cpu_count() or 1) > 1 else None


def move_to_core(core, pids):
    """The same for processes that run."""
    for pid in pids if (os.cpu_count() or 1) > 1 else ():
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(thread), {core})


def tree(pid):
    """The process and all below it."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                    children.setdefault(int(file.read().rpartition(")")[2].split()[1]), []).append(int(name))
            except OSError:
                continue
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """One server under one name. Subclasses say how it is started; folder, processes and redis are this measurement's."""

    name = None        # in tables
    path = "/events?topic=%s"
    opened = None      # the text with which a stream is open
    with_redis = True
    most_streams = 19000  # the descriptors of one process
    other_options = {}    # of the load generator, than the row's

    def __init__(self, **settings):
        self.settings = settings
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="td.", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.processes, self.redis = Processes(), None
        self.watched = []

    def __enter__(self):
        try:
            if self.with_redis:
                self.redis = RedisServer(self.folder, "--port", str(self.redis_port()), "--bind", "127.0.0.1",
                                         "--unixsocketperm", "777")
                move_to_core(LOAD_CORE, [self.redis.process.pid])
            self.start()
            wait_until(self.listens, what=f"{self.name} listens")
            self.started()
        except AssertionError as wrong:
            why = f"{wrong} {self.log()[-300:]}".strip()
            self.__exit__()
            raise CannotMeasure(why) from wrong
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.processes.stop_all()
        if self.redis:
            self.redis.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def redis_port(self):
        return 0

    @classmethod
    def missing(cls):
        """Why it can't be measured here, or None."""
        return None

    def start(self):
        raise NotImplementedError

    def started(self):
        """Ready to be measured; may wait for it."""

    def run(self, *command, **options):
        """Starts a process on the core of servers whose CPU and memory count, with what it starts itself."""
        with open(os.path.join(self.folder, "log"), "ab") as log:
            process = self.processes.start(*command, stdout=log, stderr=log, preexec_fn=on_core(SERVER_CORE), **options)
        self.watched.append(process)
        return process

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return " ".join(file.read().split())

    def listens(self):
        for process in self.watched:
            assert process.poll() is None, f"{self.name} ended with {process.poll()}:"
        return is_listening(self.port)

    def pids(self):
        return [pid for process in self.watched for pid in tree(process.pid)]

    def memory_kb(self, *kinds):
        """Proportional memory of all its processes: Pss is all of it, Pss_Anon and Pss_Shmem what no file stands behind."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith(tuple(kind + ":" for kind in kinds)))
        return total

    def publishing(self):
        """The load generator's words for how events get in."""
        return ["--to", "redis:" + self.redis.path]


class Floor(Server):
    name, with_redis, coalesce = "floor", False, 1

    def start(self):
        self.control, self.count = free_port(), self.settings.get("workers", 1)
        self.most_streams = 19000 * self.count
        words = ["--processes", str(self.count), "--coalesce", str(self.coalesce)]
        words += ["--redis", self.redis.path] if self.redis else ["--control", f"127.0.0.1:{self.control}"]
        self.run(built("bench/floor"), "--listen", f"127.0.0.1:{self.port}", *words)

    def listens(self):
        """All of its processes: each has a control port of its own, but all the same port for streams."""
        return super().listens() and (self.redis or all(is_listening(self.control + i) for i in range(self.count)))

    def publishing(self):
        return super().publishing() if self.redis else ["--to", f"floor:127.0.0.1:{self.control}+{self.count}"]


class FloorCoalescing(Floor):
    name, coalesce = "floor, coalescing 64", 64


class FloorRedis(Floor):
    name, with_redis = "floor, fed by Redis", True


class Tidings(Server):
    """Foreign events: a plain PUBLISH, which is all that the floor and nchan's nostore do."""

    name, opened = "tidings", "event: sse.open"

    def start(self):
        self.admin = ("127.0.0.1", free_port())
        settings = {"redis_url": "unix:" + self.redis.path, "listen": f"127.0.0.1:{self.port}",
                    "admin_listen": "%s:%d" % self.admin, "auth": "public", "workers": 1, "max_connections": 200000,
                    **self.settings}
        self.most_streams = 19000 * settings["workers"]
        command = [built("streamer/streamer"), *(f"--set={name}={value}" for name, value in settings.items())]
        self.run(*command, env=clean_environment())

    def started(self):
        """Until all workers are there: the sockets were open before them."""
        wait_until(self.is_ready, timeout=30, what="the workers are ready")

    def is_ready(self):
        try:
            return http_raw.fetch(self.admin, "/health/ready").status == 200
        except OSError:
            return False

    def open_streams(self):
        return http_raw.fetch(self.admin, "/metrics").json["connections"]["current"]


class TidingsLog(Tidings):
    name = "tidings, with the log"

    def publishing(self):
        return ["--to", "log:" + self.redis.path]


class TidingsUnstalled(Tidings):
    """What the others of a row have in stalled listeners, it has not."""

    name, other_options = "tidings, nobody stalled", {"stalled": 0}


class Nchan(Server):
    name, path, with_redis, redis_lines = "nchan", "/sub/%s", False, ""

    @classmethod
    def missing(cls):
        if not program("nginx"):
            return "nginx is not installed"
        return None if os.path.exists(NCHAN) else "nginx has no module nchan (Debian: libnginx-mod-nchan)"

    def redis_port(self):
        self.redis_at = free_port()
        return self.redis_at

    def upstream(self):
        return f"upstream store {{ nchan_redis_server redis://127.0.0.1:{self.redis_at}; {self.redis_lines} }}" if self.redis else ""

    def start(self):
        temp = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user www-data;" if os.geteuid() == 0 else ""
        use = "nchan_redis_pass store;" if self.redis else ""
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"""load_module {NCHAN};
daemon off; worker_processes 1; pid {self.folder}/pid; error_log stderr error; {user}
worker_rlimit_nofile 20000;
events {{ worker_connections 20000; multi_accept on; }}
http {{
    access_log off; tcp_nodelay on; keepalive_requests 100000000; {temp}
    nchan_shared_memory_size 512M;
    {self.upstream()}
    server {{
        listen 127.0.0.1:{self.port} backlog=4096;
        location ~ ^/sub/(.+)$ {{
            nchan_subscriber eventsource; nchan_channel_id $1; nchan_channel_id_split_delimiter ",";
            nchan_subscriber_first_message newest; {use}
        }}
        location ~ ^/pub/(.+)$ {{
            nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 100; {use}
        }}
    }}
}}
""")
        self.run("nginx", "-p", self.folder, "-c", path, "-e", "stderr")

    def started(self):
        """Until it has its Redis: without, it answers 503."""
        wait_until(self.publishes, what="nchan publishes")

    def publishes(self):
        answer = http_raw.fetch(("127.0.0.1", self.port), "/pub/ready", method="POST", body=b"ready", headers={"Connection": "close"})
        return answer.status in (200, 201, 202)

    def publishing(self):
        return ["--to", f"http:127.0.0.1:{self.port}", "--post", "/pub/%s", "--connections", "64"]


class NchanNostore(Nchan):
    name, with_redis, redis_lines = "nchan + Redis, nostore", True, "nchan_redis_storage_mode nostore;"


class NchanStoring(Nchan):
    name, with_redis, redis_lines = "nchan + Redis, storing", True, "nchan_redis_storage_mode distributed;"


class Node(Server):
    name, opened = "Node, http and Redis", ":\n\n"

    @classmethod
    def missing(cls):
        return None if program("node") else "node is not installed (Debian: nodejs)"

    def start(self):
        self.run("node", os.path.join(TOP, "bench", "node_sse.js"), str(self.port), self.redis.path)


class PublishSite(Server):
    """nginx before four publish processes, as README sets it up; nobody listens."""

    name, with_redis = "tidings, with the log", True

    @classmethod
    def missing(cls):
        return None if program("nginx") else "nginx is not installed"

    def start(self):
        from fronts import Nginx, Place
        site = os.path.join(self.folder, "site")
        os.mkdir(site)
        place = Place(site, built("publisher/publish"))
        publish = self.start_publish(place.publish_socket)
        place.open_to_the_web_server(place.publish_socket)
        os.chmod(place.publish_socket, 0o666)
        front = Nginx(place, self.processes)
        front.port, front.address = self.port, ("127.0.0.1", self.port)
        front.answers = self.listens
        front.start()
        move_to_core(SERVER_CORE, tree(front.process.pid))
        self.watched += [front.process, *publish]

    def start_publish(self, path):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(512)
            environment = clean_environment(SSE_REDIS_URL="unix:" + self.redis.path, SSE_PUBLISH_AUTH="none")
            return [self.processes.start(built("publisher/publish"), stdin=listener.fileno(), env=environment,
                                         stdout=subprocess.DEVNULL, preexec_fn=on_core(SERVER_CORE)) for _ in range(4)]

    def publishing(self):
        return ["--to", f"http:127.0.0.1:{self.port}", "--post", "/publish", "--json", "--connections", "16"]


class PublishNchan(NchanStoring):
    def publishing(self):
        return ["--to", f"http:127.0.0.1:{self.port}", "--post", "/pub/%s", "--connections", "16"]

"""measures: what is done with one server that runs: each function takes it and gives back figures by name."""
import json
import os
import signal
import subprocess
import time

from servers import LOAD_CORE, CannotMeasure, on_core
from support import built, clean_environment

SLACK_SECONDS = 100  # for opening, warming up and what is still due, beyond what is asked for


def words(server, mode, options):
    command = [built("bench/load"), mode, "--server", f"127.0.0.1:{server.port}", "--path", server.path,
               "--pids", ",".join(map(str, server.pids())), "--limit", str(options.get("seconds", 4) + SLACK_SECONDS)]
    if server.opened:
        command += ["--opened", server.opened]
    if mode not in ("connect", "hold"):
        command += server.publishing()
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return command


def read(server, process, text, wrong):
    if process.returncode == -signal.SIGALRM:
        raise CannotMeasure(f"not done in {SLACK_SECONDS} s more than it should take: {server.log()[-300:]}")
    if process.returncode != 0:
        raise CannotMeasure(f"the load generator ended with {process.returncode}: {wrong.strip()[-300:]} {server.log()[-300:]}")
    result = json.loads(text)
    if result["opened"] != result["streams"] or result["ended"]:
        raise CannotMeasure(f"{result['opened']} of {result['streams']} streams opened, {result['ended']} ended: "
                            f"{server.log()[-300:]}")
    return result


def load(server, mode, **options):
    """One run of the load generator; its figures."""
    options = {**options, **server.other_options}
    if options.get("streams", 0) > server.most_streams:
        raise CannotMeasure(f"{options['streams']} streams are more than one process may have")
    ran = subprocess.run(words(server, mode, options), capture_output=True, text=True, check=False, env=clean_environment(),
                         stdin=subprocess.DEVNULL, preexec_fn=on_core(LOAD_CORE),
                         timeout=options.get("seconds", 4) + SLACK_SECONDS + 10)
    return read(server, ran, ran.stdout, ran.stderr)


def latency(server, **options):
    return load(server, "lat", **options)


def fan(server, **options):
    return load(server, "fan", **options)


def connect(server, **options):
    return load(server, "connect", **options)


def publish(server, **options):
    return load(server, "publish", **options)


# ---- at rest ----

def cpu_ns(pids):
    """ns of CPU that the processes' threads have used."""
    used = 0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
                used += int(file.read().split()[0])
    return used


def start(server, mode, options):
    if options["streams"] > server.most_streams:
        raise CannotMeasure(f"{options['streams']} streams are more than its processes may have")
    return subprocess.Popen(words(server, mode, options), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=clean_environment(), preexec_fn=on_core(LOAD_CORE))


def own_kb(server):
    """Without what is mapped from files: of that a process's share depends on what else runs on the machine."""
    return server.memory_kb("Pss_Anon", "Pss_Shmem")


def idle(server, streams):
    """Memory of streams that nothing comes on."""
    before = own_kb(server)
    holder = start(server, "hold", {"streams": streams})
    line = holder.stdout.readline()
    held = own_kb(server) if line else 0
    _, wrong = holder.communicate()
    result = read(server, holder, line, wrong)
    return {"streams": streams, "opened": result["opened"], "kb_before": before, "kb": held,
            "kb_per_stream": (held - before) / streams}


def grow(server, streams, rate, seconds, rest_seconds=3, **options):
    """All of so many streams: how long they take to open, what they need at rest, how long an event takes to all."""
    before = own_kb(server)
    runner = start(server, "lat", {"streams": streams, "rate": rate, "seconds": seconds, "pause": True, **options})
    line = runner.stdout.readline()
    rest = {}
    if line == "open\n":
        used, begun = cpu_ns(server.pids()), time.monotonic()
        time.sleep(rest_seconds)  # what is measured is what happens in this time
        rest = {"idle_cpu_percent": (cpu_ns(server.pids()) - used) / (time.monotonic() - begun) / 1e7,
                "pss_mb": server.memory_kb("Pss") / 1024, "kb_per_stream": (own_kb(server) - before) / streams}
    text, wrong = runner.communicate("go\n" if rest else None)
    return {**read(server, runner, text, wrong), **rest}


def herd(server, streams, limit_seconds=60, **options):
    """So many come, and then all leave in the same instant: what either takes."""
    before = own_kb(server)
    holder = start(server, "hold", {"streams": streams, **options})
    result = {}
    try:
        line = holder.stdout.readline()
        if line:
            result = {**json.loads(line), "kb_per_stream": (own_kb(server) - before) / streams,
                      "pss_mb": server.memory_kb("Pss") / 1024, "there": server.open_streams()}
        used, begun = cpu_ns(server.pids()), time.monotonic()
    finally:
        holder.kill()  # its children go with it
        _, wrong = holder.communicate()
    if not line or result["there"] != streams:
        raise CannotMeasure(f"{result.get('there')} of {streams} streams are there: {wrong[-300:]} {server.log()[-300:]}")
    while server.open_streams() > 0:
        if time.monotonic() - begun > limit_seconds:
            raise CannotMeasure(f"{server.open_streams()} are still there")
        time.sleep(0.02)
    return {**result, "leave_s": time.monotonic() - begun, "leave_us": (cpu_ns(server.pids()) - used) / 1e3 / streams}


def at_rest(server, streams, seconds=8):
    """% of a core that so many open streams take while nothing comes on them."""
    holder = start(server, "hold", {"streams": streams})
    line, percent = holder.stdout.readline(), 0
    if line:
        time.sleep(1)  # what opening left over is done
        used, begun = cpu_ns(server.pids()), time.monotonic()
        time.sleep(seconds)  # what is measured is what happens in this time
        percent = (cpu_ns(server.pids()) - used) / (time.monotonic() - begun) / 1e7
    _, wrong = holder.communicate()
    read(server, holder, line, wrong)
    return percent


def rest(server_class, streams, settings):
    """The same, of which heartbeats are a part that doubles when they come twice as often: so the part without is known."""
    found = {}
    for seconds in (60, 30):
        with server_class(**settings, heartbeat_seconds=seconds) as server:
            found[seconds] = at_rest(server, streams)
    return {"streams": streams, "rest_percent": found[60], "silent_percent": 2 * found[60] - found[30],
            "us_per_heartbeat": (found[30] - found[60]) * 1e4 / (streams / 60)}


# ---- instructions ----

def total_of(path):
    """All instructions that a callgrind file counts."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(("summary:", "totals:")))


def counted(server_class, events, streams, settings):
    """Instructions and deliveries of one life of a server under callgrind, all of its processes together."""
    with server_class(**settings) as server:
        result = fan(server, streams=streams, window=1, events=events, seconds=60)
        process = server.watched[0]
        server.processes.stop(process, signal.SIGTERM, timeout=30)
        return sum(map(total_of, server.counts())), result["deliveries"]


def instructions(server_class, streams, events, settings):
    """Of a delivery, in lock step: the difference of a short and a long run, so that all else drops out."""
    short, few = counted(server_class, events, streams, settings)
    long, many = counted(server_class, 4 * events, streams, settings)
    return {"instructions": (long - short) / (many - few), "deliveries": many - few}

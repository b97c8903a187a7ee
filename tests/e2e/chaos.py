#!/usr/bin/python3
"""chaos: the judge. A scenario made of one seed on a real Redis, with real programs: publishers publish, hundreds of
listeners come and go, and Redis, the streamer, publish and their connections are killed, frozen, cut and filled up. From
what Redis acknowledged and what each listener saw it proves: no double, no disorder, no silent hole.

    chaos.py --seed 7 --seconds 30 --profile durable     one run; exit code 1 when anything was wrong
    chaos.py --runs 20 --seed-from 1 --results FILE      the long form; seeds that FILE has are not run again
    chaos.py --judge FOLDER                              the verdict anew on the records that a failure left

The programs are those of the build TIDINGS_BUILD. The same seed and profile make the same plan, whose digest is printed;
what time makes of it differs."""
import argparse
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from contextlib import ExitStack

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from chaos_failovers import ClusterLane, SentinelLane  # noqa: E402
from chaos_faults import ChaosProxy, RedisLane, StreamerHandle, StreamerLane  # noqa: E402
from chaos_plan import BULK, PROFILES, data_number, digest, make_plan  # noqa: E402
from chaos_publishers import Publisher, PublishProcess  # noqa: E402
from chaos_records import Records, read_events, read_lines, read_lives  # noqa: E402
from chaos_servers import SERVERS  # noqa: E402
from chaos_verdict import Verdict  # noqa: E402
from streamer_program import Streamer  # noqa: E402
from support import Processes, built, free_port, wait_until  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
END_SECONDS = 30      # within which everybody must be at the end once the faults are over
SHOWN = 20            # violations of a run that are printed
PUBLISH_SETTINGS = ("history_size", "history_seconds", "topic_prefix", "partitions", "redis_timeout_ms")
LANES = {None: RedisLane, "sentinel": SentinelLane, "cluster": ClusterLane, "shards": ClusterLane}


def position_of(ids):
    """What an answer said of an event of one topic, as the text of a position."""
    return ids if isinstance(ids, str) else ",".join(f"{partition}:{id}" for partition, id in ids.items())


class Run:
    """One scenario. folder gets the records: plan.json, heard, published.N, faults.*, losses, logs of the programs."""

    def __init__(self, plan, folder):
        self.plan, self.folder = plan, folder
        self.profile = PROFILES[plan["profile"]]
        self.stop = threading.Event()
        self.wrong, self.unfinished = [], []

    def run(self):
        """Everything is ended when it returns, however it does."""
        with open(self.path("plan.json"), "w", encoding="utf-8") as file:
            json.dump(self.plan, file)
        with ExitStack() as stack:
            self.start_programs(stack)
            self.start_listeners(stack)
            self.begin(stack)
            self.stop.wait(self.plan["seconds"])
            self.end_faults()
            self.finish()
        self.keep()

    def path(self, name):
        return os.path.join(self.folder, name)

    # ---- the beginning ----

    def start_programs(self, stack):
        streamer, publish = built("streamer/streamer"), built("publisher/publish")
        self.processes = Processes()
        self.servers = SERVERS[self.profile.get("servers")](self.folder, self.plan, self.profile["persist"])
        stack.callback(self.servers.close)
        stack.callback(self.processes.stop_all)
        self.proxies = self.start_proxies() if not self.profile.get("servers") else {}
        settings = {**self.plan["settings"], "redis_timeout_ms": 400}
        self.start_streamer(streamer, settings)
        self.proxies["front"] = ChaosProxy(self.tcp, self.path("xf"))
        for proxy in self.proxies.values():
            stack.callback(proxy.close)
        urls = [self.servers.url, *[self.url("publish")] * 2]
        kept = {name: settings[name] for name in PUBLISH_SETTINGS if name in settings}
        self.publish = [PublishProcess(publish, self.processes, self.folder, redis_url=url, **kept) for url in urls]
        for process in self.publish:
            stack.callback(process.close)

    def start_proxies(self):
        """Before one Redis. Several servers tell their own addresses, so that a proxy before them would be passed by."""
        return {"streamer": ChaosProxy(self.servers.path, self.path("xs"), self.plan["delays"]),
                "publish": ChaosProxy(self.servers.path, self.path("xp"))}

    def url(self, program):
        return self.proxies[program].redis_url if program in self.proxies else self.servers.url

    def start_streamer(self, program, settings):
        self.tcp = ("127.0.0.1", free_port())
        streamer = Streamer(program, self.processes, self.url("streamer"), self.folder, address=self.tcp,
                            **settings, heartbeat_seconds=5, retry_ms=100, drain_seconds=0)
        streamer.admin = ("127.0.0.1", free_port())
        streamer.settings["admin_listen"] = "%s:%d" % streamer.admin
        streamer.settings["listen"] += ",unix:" + self.path("s")
        streamer.workers_may_die = True  # the handle counts them
        self.streamer = StreamerHandle(streamer.start())

    def start_listeners(self, stack):
        addresses = {"tcp": self.tcp, "unix": self.path("s"), "front": self.proxies["front"].address}
        self.listeners = self.processes.start(
            sys.executable, os.path.join(HERE, "chaos_listeners.py"), self.path("plan.json"), self.path("heard"),
            json.dumps(addresses), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        stack.callback(self.end_listeners)

    def end_listeners(self):
        self.listeners.stdin.close()
        if self.listeners.wait(20) != 0:
            self.wrong.append("the listeners' process failed")

    def begin(self, stack):
        begun = time.monotonic()
        self.publishers = [Publisher(i, self.plan, self.publish[i], self.folder, begun, self.stop) for i in range(3)]
        self.bulk = Publisher("bulk", self.plan, self.publish[0], self.folder, begun, threading.Event())
        undisturbed, lane = threading.Lock(), LANES[self.profile.get("servers")]
        redis = [self.servers, self.profile["persist"] if lane is RedisLane else undisturbed, self.streamer, self.bulk.carry_out]
        self.lanes = [lane(*redis, self.plan["faults"]["redis"], self.folder, "redis", begun, self.stop),
                      StreamerLane(self.streamer, self.publish[1:], self.proxies, undisturbed,
                                   self.plan["faults"]["streamer"], self.folder, "streamer", begun, self.stop)]
        stack.callback(self.end_threads)
        for thread in (*self.publishers, *self.lanes):
            thread.start()

    def end_threads(self):
        """Nothing is started, killed or published any more."""
        self.stop.set()
        for thread in (*self.lanes, *self.publishers):
            thread.join(30)
            if thread.is_alive():
                self.wrong.append(f"{thread} does not end")

    # ---- the end ----

    def end_faults(self):
        """From here on everything works, and nobody leaves."""
        self.end_threads()
        self.servers.wait_well()
        self.streamer.look()
        self.tell("settle")
        try:
            self.streamer.streamer.wait_ready()
        except AssertionError:
            self.wrong.append("the streamer is not ready when all faults are over")

    def tell(self, line):
        self.listeners.stdin.write(line.encode() + b"\n")
        self.listeners.stdin.flush()

    def finish(self):
        """One last event on each topic, with which everybody is to be at the end."""
        last = {}
        for n in range(self.plan["last"], len(self.plan["events"])):
            request = {"events": [n], "keyed": True, "repeat": False, "form": False, "batch": False}
            ids = self.bulk.carry_out(request)
            assert ids, "publish takes events when all faults are over"
            last[self.plan["events"][n][0][0]] = position_of(ids[0])
        self.bulk.records.close()
        self.tell("finish " + json.dumps(last))
        end = time.monotonic() + END_SECONDS
        self.unfinished = self.behind()
        while self.unfinished and time.monotonic() < end:
            time.sleep(0.1)
            self.unfinished = self.behind()
        self.logged = self.read_logs()

    def read_logs(self):
        """[n, id, topic] of everything in the logs."""
        found = []
        for topic in (*self.plan["topics"], BULK):
            for id, message in self.servers.log(topic):
                data = json.loads(message)["data"]
                found.append([data["n"] if isinstance(data, dict) else data_number(data), id, topic])
        return found

    def behind(self):
        self.tell("say")
        if not select.select([self.listeners.stdout], [], [], 10)[0]:
            return ["the listeners' process does not answer"]
        return json.loads(self.listeners.stdout.readline())["behind"]

    def keep(self):
        """What is not written while it happens."""
        for part in (*self.publishers, self.bulk, *self.lanes, self.streamer):
            self.wrong += part.wrong
        with open(self.path("end.json"), "w", encoding="utf-8") as file:
            json.dump({"wrong": self.wrong, "unfinished": self.unfinished, "losses": self.lanes[0].losses,
                       "logged": self.logged, "faults": sum(lane.done for lane in self.lanes)}, file)


def judge(folder):
    """(plan, what was noted at the end, the verdict) of the records in a folder."""
    with open(os.path.join(folder, "plan.json"), encoding="utf-8") as file:
        plan = json.load(file)
    with open(os.path.join(folder, "end.json"), encoding="utf-8") as file:
        end = json.load(file)
    records = Records(read_events(folder), read_lives(os.path.join(folder, "heard")), end["losses"], end["wrong"],
                      end["unfinished"], plan["settings"]["history_size"], end["logged"],
                      plan["profile"] not in ("trimmed", "volatile"), plan["settings"].get("partitions", 0),
                      plan["settings"]["slow_client"] == "drop", plan["settings"]["workers"] > 1)
    verdict = Verdict(records)
    planned = max(1, sum(map(len, plan["faults"].values())))
    if verdict.counts["deliveries"] < 20 * plan["seconds"] or end["faults"] < min(plan["seconds"] / 5, planned):
        verdict.add("void", "too little happened for a verdict")
    return plan, end, verdict


def summary(plan, end, verdict):
    counts = verdict.counts
    return (f"seed {plan['seed']} profile {plan['profile']} plan {digest(plan)}: {counts['acknowledged']} acknowledged, "
            f"{counts['unknown']} unknown, {counts['deliveries']} deliveries, {counts['connections']} connections, "
            f"{counts['resumed']} resumed, {counts['replayed']} replayed, {end['faults']} faults, {counts['resets']} resets, "
            f"{len(verdict.violations)} violations")


def tell(plan, end, verdict):
    """Prints the verdict; returns whether all was well."""
    for rule, text in verdict.violations[:SHOWN]:
        print(f"seed {plan['seed']}: {rule}: {text}")
    if verdict.violations:
        rules = Counter(rule for rule, _ in verdict.violations)
        print(f"seed {plan['seed']}: in all " + ", ".join(f"{rule} {count}" for rule, count in rules.most_common()))
    print(summary(plan, end, verdict), flush=True)
    return not verdict.violations


def run_one(seed, profile, seconds, listeners, only=None):
    """One run; returns its line for the results. The records stay when it was not well."""
    folder = tempfile.mkdtemp(prefix="td.", dir="/tmp")
    plan = make_plan(seed, profile, seconds, listeners, only=only)
    kept = False  # not either, when somebody ends it
    line = {"seed": seed, "profile": profile, "seconds": seconds, "listeners": listeners, "plan": digest(plan), "well": False}
    print(f"seed {seed} profile {profile} plan {digest(plan)}: {seconds:g} s, {listeners} listeners", flush=True)
    try:
        Run(plan, folder).run()
        _, end, verdict = judge(folder)
        line.update(well=tell(plan, end, verdict), faults=end["faults"], **verdict.counts,
                    violations=verdict.violations[:SHOWN])
        kept = not line["well"]
    except Exception:  # pylint: disable=broad-except
        line["violations"] = [["failed", traceback.format_exc()]]
        print(f"seed {seed}: {traceback.format_exc()}")
        kept = True
    finally:
        if kept:
            print(f"seed {seed}: the records stand in {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return line


def profile_of(seed, asked):
    return asked or list(PROFILES)[seed % len(PROFILES)]


def run_many(options):
    """The long form: what the results file has already is not done again."""
    done = {}
    if os.path.exists(options.results):
        done = {(line["seed"], line["profile"], line["seconds"]): line["well"] for line in read_lines(options.results)}
    well = True
    for seed in range(options.seed_from, options.seed_from + options.runs):
        profile = profile_of(seed, options.profile)
        if (seed, profile, options.seconds) not in done:
            line = run_one(seed, profile, options.seconds, options.listeners)
            with open(options.results, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            done[seed, profile, options.seconds] = line["well"]
        well &= done[seed, profile, options.seconds]
    print(f"{sum(done.values())} of {len(done)} runs in {options.results} were well")
    return well


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="of one run; without it, by chance")
    parser.add_argument("--seconds", type=float, default=30, help="of faults and load (30)")
    parser.add_argument("--profile", choices=PROFILES, help="what Redis keeps; without it, the seed decides")
    parser.add_argument("--listeners", type=int, default=220)
    parser.add_argument("--runs", type=int, help="the long form: so many seeds")
    parser.add_argument("--seed-from", type=int, default=1)
    parser.add_argument("--results", help="the long form's file: one line of JSON a seed")
    parser.add_argument("--faults", type=lambda text: text.split(","), help="of one run: these kinds of faults alone, with commas")
    parser.add_argument("--judge", metavar="FOLDER", help="no run: the verdict on the records in FOLDER")
    options = parser.parse_args()
    if (options.runs is None) != (options.results is None):
        parser.error("--runs and --results go together")
    return options


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.judge:
        return 0 if tell(*judge(options.judge)) else 1
    if options.runs:
        return 0 if run_many(options) else 1
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
    line = run_one(seed, profile_of(seed, options.profile), options.seconds, options.listeners, options.faults)
    return 0 if line["well"] else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

#!/usr/bin/python3
"""chaos_teeth: shows that the judge can fail. Builds the streamer from a copy of the sources, as it is and then with one
fault at a time put into it, and lets the judge look: it must find nothing in the first, and something in every other.

    chaos_teeth.py [--seconds 20] [--seeds 1,2] [--only NAME] [--results FILE]

A mutation whose text does not stand in the sources exactly once is an error: it would prove nothing."""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from chaos_plan import make_plan  # noqa: E402
from support import TOP  # noqa: E402

# Faults without which a mutation changes nothing: seeds whose plan has none of them are passed over.
NEEDED = {"deaf_slot": {"move_slot"}, "no_mark": {"master_kill", "master_kill_behind", "promote", "master_freeze"}}
# Where these faults come alone, since others would cure what is to be found; and the most partitions, so that each slot has
# listeners.
ALONE = {"deaf_slot": 3}

# name: (what it does, the profile that looks for it, [(file, text that stands there once, what comes in its place)])
MUTATIONS = {
    "no_replay": ("the logs are read, and nothing of them is sent", "durable", [
        ("streamer/replay.c",
         "\twhile ((e = first_of_all(r, topics))) {\n",
         "\twhile (r->position.ms == 0 && (e = first_of_all(r, topics))) {\n")]),
    "no_dedup": ("an event at or below the position is sent again", "durable", [
        ("streamer/delivery.c",
         "\tif (has_id && event_id_compare(f->id, leg->position) <= 0)\n\t\treturn;\n",
         ""),
        ("streamer/fan_out.c",
         "\treturn event_id_is_zero(b->first) || event_id_compare(b->first, leg->position) > 0;\n",
         "\treturn b || leg;\n")]),
    "hole_open": ("who was live when the subscriptions were lost is live again without a look into the logs", "durable", [
        ("streamer/streams.c",
         "\t\tresume_stop_waiting(leg);\n\t\tif (leg->state != LEG_PACED)\n\t\t\tleg->state = LEG_WAITING;\n",
         "\t\tresume_stop_waiting(leg);\n\t\tif (leg->state != LEG_PACED && leg->state != LEG_LIVE)\n"
         "\t\t\tleg->state = LEG_WAITING;\n"),
        ("streamer/streams.c",
         "\t\tif (leg->state != LEG_PACED)\n\t\t\tstreams_begin(leg);\n",
         "\t\tif (leg->state != LEG_PACED && leg->state != LEG_LIVE)\n\t\t\tstreams_begin(leg);\n")]),
    "one_position": ("a cursor holds one position for all partitions", "cluster", [
        ("streamer/telling.c",
         "\t\t\terr = cursor_text_append(b, st->all->cluster, leg->in->number,\n\t\t\t\t\t\t leg->position);\n",
         "\t\t\terr = cursor_text_append(b, st->all->cluster, leg->in->number,\n"
         "\t\t\t\t\t\t st->legs[0].position);\n")]),
    "deaf_slot": ("a slot that leaves its node takes nobody along: neither sunsubscribe nor MOVED nor the map are heeded",
                  "cluster", [
        ("streamer/redis_subscriber.c",
         "\t\tredis_link_stray(l, partition);\n\t}\n\treturn true;\n",
         "\t}\n\treturn true;\n"),
        ("streamer/redis_link.c", "{\"MOVED \", \"CLUSTERDOWN \"}", "{\"CLUSTERDOWN \"}"),
        ("streamer/redis_cluster.c", "\tif (now == before)\n", "\tif (now == before || before)\n")]),
    "no_mark": ("losses of Redis are not marked", "sentinel", [
        ("common/ids.lua", "\tredis.call('HSET', KEYS[1], 'mark', unpack_id(at))\n", "\treturn at\n")]),
}


class Sources:
    """A copy of the sources and a build of it."""

    def __init__(self, folder):
        self.sources, self.build = os.path.join(folder, "src"), os.path.join(folder, "build")
        os.mkdir(self.build)
        self.run(TOP, os.path.join(TOP, "scripts/copy-sources"), self.sources)
        self.run(self.sources, "autoreconf", "-fi")
        self.run(self.build, os.path.join(self.sources, "configure"), "-q", "CFLAGS=-O1")
        self.make()

    @staticmethod
    def run(folder, *words):
        done = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(words)} failed:\n{done.stdout[-4000:]}")

    def make(self):
        self.run(self.build, "make", "-s", f"-j{os.cpu_count()}", "publisher/publish", "streamer/streamer")

    def mutated(self, changes):
        """Returns {path: text as it was}."""
        originals = {}
        for file, old, new in changes:
            path = os.path.join(self.sources, file)
            with open(path, encoding="utf-8") as source:
                text = source.read()
            if text.count(old) != 1:
                sys.exit(f"{file} has {text.count(old)} times:\n{old}")
            originals.setdefault(path, text)
            self.write({path: text.replace(old, new)})
        self.make()
        return originals

    @staticmethod
    def write(texts):
        for path, text in texts.items():
            with open(path, "w", encoding="utf-8") as source:
                source.write(text)


def judged(build, name, seed, profile, seconds):
    """(found something, what it said first and last); the records go."""
    done = subprocess.run([sys.executable, os.path.join(TOP, "tests/e2e/chaos.py"), "--seed", str(seed), "--profile", profile,
                           "--seconds", str(seconds),
                           *(["--faults", ",".join(NEEDED[name])] if name in ALONE else [])], env={**os.environ, "TIDINGS_BUILD": build}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    lines = done.stdout.splitlines()[1:]
    for line in lines:
        if "the records stand in " in line:
            shutil.rmtree(line.rsplit(" ", 1)[1], ignore_errors=True)
    told = [line for line in lines if "the records stand in " not in line]
    return done.returncode != 0, "\n".join("    " + line for line in dict.fromkeys(told[:2] + told[-2:]))


def seeds_of(name, profile, seconds, seeds):
    """As many as were asked for, from each of these upward."""
    found = []
    for seed in seeds:
        while seed in found or not has_needed(name, seed, profile, seconds):
            seed += 1
        found.append(seed)
    return found


def has_needed(name, seed, profile, seconds):
    if name not in NEEDED:
        return True
    plan = make_plan(seed, profile, seconds)
    kinds = {fault["kind"] for fault in plan["faults"]["redis"]}
    return kinds & NEEDED[name] and plan["settings"].get("partitions", 0) <= ALONE.get(name, 1024)


def profiles_of(only):
    """Those that find nothing in the sources as they are."""
    return [MUTATIONS[only][1]] if only else sorted({profile for _, profile, _ in MUTATIONS.values()})


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seeds", default="1,2", help="each mutation must be found with each of them, or the next one with the faults that it needs")
    parser.add_argument("--only", choices=MUTATIONS, help="one mutation")
    return parser.parse_args()


def main():
    options = parse_options()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="tdteeth.") as folder:
        sources = Sources(folder)
        for name in [None, *([options.only] if options.only else MUTATIONS)]:
            what, profile, changes = MUTATIONS[name] if name else ("as it is", None, [])
            originals = sources.mutated(changes)
            for looked, seed in [(looked, seed) for looked in ([profile] if name else profiles_of(options.only))
                                 for seed in seeds_of(name, looked, options.seconds, seeds)]:
                found, words = judged(sources.build, name, seed, looked, options.seconds)
                right = found == bool(name)
                wrong += not right
                print(f"{'ok    ' if right else 'FAILED'} {name or 'unchanged'} ({what}), {looked}, seed {seed}: "
                      f"{'found' if found else 'nothing found'}\n{words}", flush=True)
            sources.write(originals)
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

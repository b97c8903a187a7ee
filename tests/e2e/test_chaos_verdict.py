"""The judge's verdict on records made by hand: each kind of fault is found, and what is right is not taken for one."""
import pytest

from chaos_plan import data_json, data_number, data_text, digest, make_plan
from chaos_records import Connection, Event, Life, Records
from chaos_verdict import Verdict
from partitions import partition_of

TOPICS = ["a", "b"]


def event(n, *topics, name="x", outcome="acknowledged", begin=None, end=None, id="", **options):
    """Event n has the id n-0, and is published at the second n."""
    begin = n if begin is None else begin
    return Event(n, list(topics or "a"), name, outcome, begin, begin + 0.1 if end is None else end,
                 f"{n}-0" if id == "" else id, **options)


def opened(t, id, topics=TOPICS, resumed=False, replayed=0, reset=()):
    return ("open", t, id, {"topics": list(topics), "resumed": resumed, "replayed": replayed, "reset": list(reset)})


def got(n, t=None, id=""):
    return ("event", n + 0.5 if t is None else t, f"{n}-0" if id == "" else id, n)


def connection(*blocks, began=0.0, cursor=None, topics=TOPICS, names=None, number=0):
    return Connection(number, began, list(topics), names, cursor, blocks)


def first(*blocks, **options):
    """A connection without a cursor that was opened at the position 0-0."""
    return connection(opened(0.5, "0-0", options.get("topics", TOPICS)), *blocks, **options)


def again(cursor, *blocks, began, replayed=0, reset=(), number=1, **options):
    """One with a cursor, opened half a second after its request."""
    topics = options.get("topics", TOPICS)
    resumed = bool(set(topics) - set(reset))
    return connection(opened(began + 0.5, cursor, topics, resumed, replayed, reset), *blocks, began=began, cursor=cursor,
                      number=number, **options)


def reset(t, *topics):
    return ("reset", t, list(topics), "trimmed")


def verdict(events, *connections, **options):
    return Verdict(Records(events, [Life("0.0", connections)], **options))


def rules(events, *connections, **options):
    """The names of all rules that were broken."""
    return [rule for rule, _ in verdict(events, *connections, **options).violations]


FOUR = [event(1), event(2, "b"), event(3), event(4, "a", "b")]


# ---- what is right ----

@pytest.mark.parametrize("connections", [
    [first(got(1), got(2), got(3), got(4))],
    [first(got(1), got(2)), again("2-0", got(3), got(4), began=2.6)],
    [first(got(1)), again("1-0", got(2), got(3), began=3.2, replayed=2), again("3-0", got(4), began=3.8, number=2)],
    [first(), again("0-0", got(1), began=1.3, replayed=1)],  # the rest was never due
    [first(got(1), got(3), ("id", 3.6, "3-0"), got(4), topics=["a"])],
    [connection(), first(got(1), number=1)],  # cut before sse.open
    [first(got(1), topics=["a"]), again("1-0", got(2), got(4), began=1.6, topics=["b"])],
    [connection(opened(3.7, "3-5"), got(4))],
    [connection(opened(3.7, "3-5"), ("id", 3.8, "3-8"), got(4), ("id", 5, "4-2"))],
])
def test_a_faultless_listener_breaks_no_rule(connections):
    assert verdict(FOUR, *connections).violations == []


def test_a_filtered_event_may_be_passed_over_by_a_position():
    events = [event(1, name="x"), event(2, name="y")]
    assert rules(events, first(got(1), ("id", 2.6, "2-0"), names=["x"])) == []


def test_an_event_of_unknown_outcome_may_arrive_or_not():
    unknown = [event(1), event(2, outcome="unknown", id=None), event(3)]
    assert rules(unknown, first(got(1), got(3))) == []
    unknown = [event(1), event(2, outcome="unknown", id=None), event(3)]
    assert rules(unknown, first(got(1), got(2), got(3))) == []


# ---- no double, no disorder ----

def test_a_double_is_found_on_one_connection_and_across_two():
    assert rules(FOUR, first(got(1), ("event", 1.6, "1-0", 1), got(2), got(3), got(4))) == ["double", "disorder"]
    assert "double" in rules(FOUR, first(got(1), got(2)), again("2-0", ("event", 3.6, "1-0", 1), got(3), got(4), began=2.6))
    assert "double" in rules(FOUR, first(got(1), ("event", 1.6, "1-3", 1)))  # under another id


def test_disorder_is_found_on_one_connection_and_across_two():
    assert rules(FOUR, first(got(2, t=4.5), got(1, t=4.5), got(3, t=4.6), got(4, t=4.7))) == ["disorder"]
    assert "disorder" in rules(FOUR, first(got(1), got(2), got(3)), again("3-0", got(2, t=5), got(4, t=5), began=3.6))


def test_a_position_that_goes_back_is_found():
    assert rules(FOUR, first(got(1), got(2), ("id", 2.6, "1-0"), got(3), got(4))) == ["disorder"]


def test_a_double_is_right_only_where_redis_forgot_the_key_in_between():
    events = [event(1, begin=1, end=3.0, id="3-0")]
    twice = first(("event", 1.5, "1-0", 1), ("event", 3.5, "3-0", 1))
    assert rules(events, twice, losses=[(2, 2.5)]) == []
    assert rules(events, twice, losses=[(4, 4.5)]) == ["ids", "double"]


# ---- no silent hole ----

def test_a_hole_is_found():
    assert rules(FOUR, first(got(1), got(3), got(4))) == ["hole"]
    assert rules(FOUR, first(got(2), got(3), got(4))) == ["hole"]


def test_a_hole_at_the_seam_of_two_connections_is_found():
    assert rules(FOUR, first(got(1)), again("1-0", got(3), got(4), began=1.6)) == ["hole"]
    assert rules(FOUR, first(got(1)), again("1-0", got(3), got(4), began=3.2, replayed=2)) == ["hole"]


def test_a_hole_is_found_in_a_topic_that_joined_with_the_cursor():
    assert rules(FOUR, first(got(1), topics=["a"]), again("1-0", got(4), began=4.3, replayed=2, topics=["b"])) == ["hole"]


def test_an_event_that_one_listener_saw_is_missed_by_another():
    events = [event(1), event(2, outcome="unknown", id=None), event(3)]
    lives = [Life("0.0", [first(got(1), got(2), got(3))]), Life("1.0", [first(got(1), got(3))])]
    assert [rule for rule, _ in Verdict(Records(events, lives)).violations] == ["hole"]


def test_a_reset_told_in_time_covers_a_hole_of_its_topic_alone():
    def listener(*topics):
        return first(got(1)), again("1-0", reset(3.8, *topics), got(4), began=3.2, reset=topics,
                                    replayed=len({"a", "b"} - set(topics)))
    assert rules(FOUR, *listener("a", "b")) == []
    assert rules(FOUR, *listener("a")) == ["hole"]       # 2 of b
    assert rules(FOUR, *listener("b")) == ["hole"]       # 3 of a


def test_an_event_of_two_topics_is_covered_only_when_both_are_reset():
    events = [event(1), event(2, "a", "b"), event(3)]
    assert rules(events, first(got(1)), again("1-0", reset(3, "a"), got(3), began=2.2, replayed=1, reset=["a"])) == ["hole"]
    assert rules(events, first(got(1)), again("1-0", reset(3, "a", "b"), got(3), began=2.2, reset=["a", "b"])) == []


def test_a_reset_covers_nothing_that_was_published_after_it():
    late = first(got(1), reset(1.8, "a"), got(4))
    assert rules([event(1), event(3), event(4)], late, losses=[(0, 0)]) == ["hole"]


def test_a_reset_that_comes_after_the_position_has_passed_covers_nothing():
    late = first(got(1), got(3), reset(3.7, "a", "b"), got(4))
    assert rules(FOUR, late, losses=[(0, 0)]) == ["hole"]


# ---- positions ----

def test_a_lone_position_over_a_missing_event_is_found():
    assert rules(FOUR, first(got(1), ("id", 2.7, "2-5"), got(3), got(4))) == ["position"]


def test_an_open_with_another_position_than_the_cursor_is_found():
    skipped = connection(opened(2.9, "2-5", resumed=True), got(3), got(4), began=2.6, cursor="1-0", number=1)
    assert set(rules(FOUR, first(got(1)), skipped)) == {"open", "position"}


def test_a_position_ahead_of_what_is_still_to_come_is_found():
    assert "position" in rules(FOUR, connection(opened(1.5, "2-5"), got(3), got(4)))


# ---- sse.open, sse.reset ----

@pytest.mark.parametrize("replayed,right", [(0, False), (1, True), (2, True), (3, False)])
def test_replayed_is_what_the_log_held(replayed, right):
    """2 was there for long, 3 was just published, 4 was not there."""
    events = [event(1), event(2), event(3, begin=99), event(4, begin=101)]
    found = rules(events, first(got(1)), again("1-0", got(2, t=101), got(3, t=101), got(4, t=102), began=100, replayed=replayed))
    assert found == ([] if right else ["open"])


@pytest.mark.parametrize("replayed,right", [(0, True), (1, True), (2, False)])
def test_as_many_follow_as_were_announced(replayed, right):
    found = rules(FOUR, first(got(1)), again("1-0", got(2, t=4), ("id", 4, "2-0"), got(3, t=4), got(4), began=3.3,
                                             replayed=replayed))
    assert found == ([] if right else ["open"])


@pytest.mark.parametrize("data", [
    {"topics": ["b", "a"], "resumed": True, "replayed": 2, "reset": []},
    {"topics": TOPICS, "resumed": False, "replayed": 2, "reset": []},
    {"topics": TOPICS, "resumed": True, "replayed": 2, "reset": ["c"]},
])
def test_an_open_that_says_what_is_not_so_is_found(data):
    blocks = [("open", 3.7, "1-0", data), got(2), got(3), got(4)]
    assert "open" in rules(FOUR, first(got(1)), connection(*blocks, began=3.2, cursor="1-0", number=1))


def test_a_reset_that_was_announced_comes_before_any_event():
    assert "open" in rules(FOUR, first(got(1)), again("1-0", got(2), began=3.2, replayed=1, reset=["a"]))
    other = again("1-0", reset(3.8, "b"), got(3), got(4), began=3.2, replayed=1, reset=["a"])
    assert "open" in rules(FOUR, first(got(1)), other)


def test_events_before_open_are_found():
    assert "open" in rules(FOUR, connection(got(1), cursor="0-0"))


@pytest.mark.parametrize("history_size,needed", [(1, True), (2, False), (100000, False)])
def test_a_reset_is_right_only_for_what_the_log_does_not_hold(history_size, needed):
    events = [event(1), event(2), event(3)]
    found = rules(events, first(got(1), topics=["a"]),
                  again("1-0", reset(3.8, "a"), ("id", 3.9, "3-0"), began=3.2, reset=["a"], topics=["a"]),
                  history_size=history_size)
    assert found == ([] if needed else ["reset"])


def test_a_reset_is_right_once_redis_has_lost_its_memory():
    assert rules([event(1)], first(got(1), reset(3, "a")), history_size=10, losses=[(2, 2.5)]) == []


# ---- what must not be seen at all ----

def test_an_event_never_published_is_found():
    assert rules(FOUR, first(got(1), got(2), got(3), got(4), got(9))) == ["ghost"]
    assert rules([event(1, outcome="refused", id=None)], first(got(1))) == ["ghost"]


def test_an_event_of_another_topic_or_name_is_found():
    assert rules([event(1, "c")], first(got(1))) == ["ghost"]
    assert rules([event(1, name="y")], first(got(1), names=["x"])) == ["filter"]


def test_one_id_for_two_events_or_two_for_one_is_found():
    assert rules([event(1), event(2, id="1-0")], connection()) == ["ids"]
    assert rules([event(1, again="2-0")], connection()) == ["ids"]
    assert "ids" in rules(FOUR, first(got(1, id="1-1"), topics=["a"]))


def test_an_acknowledged_event_that_is_not_in_its_log_is_found():
    logged = [[1, "1-0", "a"], [2, "2-0", "b"], [3, "3-0", "a"], [4, "4-0", "a"], [4, "4-0", "b"]]
    assert rules(FOUR, connection(), logged=logged, whole=True) == []
    assert rules(FOUR, connection(), logged=logged[:-1], whole=True) == ["log"]
    assert rules(FOUR, connection(), logged=[*logged, [1, "1-0", "b"]], whole=True) == ["log"]


def test_an_event_that_is_only_in_a_log_is_due_as_the_others():
    events = [event(1), event(2, outcome="unknown", id=None), event(3)]
    assert rules(events, first(got(1), got(3)), logged=[[2, "2-0", "a"]]) == ["hole"]


def test_whoever_is_left_behind_is_told():
    assert rules([], unfinished=["listener 3.0"]) == ["stuck"]


# ---- the plan ----

def test_one_seed_makes_one_plan_and_another_seed_another():
    assert digest(make_plan(5, "durable", 5)) == digest(make_plan(5, "durable", 5))
    assert len({digest(make_plan(seed, profile, 5)) for seed in range(3) for profile in ("durable", "volatile")}) == 6


@pytest.mark.parametrize("form", ["object", "text", "lines"])
def test_an_event_is_known_by_its_data(form):
    assert data_number(data_text(4711, 300, form)) == 4711
    assert data_json(4711, 300, form)[0] in '"{'


# ---- a Cluster: positions are vectors ----

P3, P7 = "e", "a"  # topics of the partitions 3 and 7 of 16


def vector(p3=None, p7=None):
    return ",".join(f"{number}:{id}" for number, id in ((3, p3), (7, p7)) if id)


def shared(n, *topics, p3=None, p7=None, **options):
    """Event n with its ids in the partitions 3 and 7."""
    return event(n, *topics, id={number: id for number, id in (("3", p3), ("7", p7)) if id}, **options)


# 1 on partition 3, 2 on 7, 3 on both
SHARED = [shared(1, P3, p3="1-0"), shared(2, P7, p7="2-0"), shared(3, P3, P7, p3="3-0", p7="3-5"),
          shared(4, P7, p7="4-0")]
BOTH = {"topics": [P3, P7]}


def at(t, n, *ids):
    return ("event", t, vector(*ids), n)


def from_start(*blocks, topics=(P3, P7), position=("0-0", "0-0"), **options):
    return connection(opened(0.5, vector(*position), topics), *blocks, topics=topics, **options)


def from_cursor(cursor, *blocks, began=5.0, position=None, topics=(P3, P7), replayed=0, reset=(), number=1):
    resumed = bool(set(topics) - set(reset))
    return connection(opened(began + 0.5, position or cursor, topics, resumed, replayed, reset), *blocks, began=began,
                      cursor=cursor, topics=topics, number=number)


def cluster_rules(*connections, events=SHARED, **options):
    return rules(events, *connections, partitions=16, **options)


def test_the_topics_of_these_tests_are_of_the_partitions_that_they_say():
    assert [partition_of(topic) for topic in (P3, P7)] == [3, 7]


def test_positions_of_a_cluster_rise_each_by_itself():
    assert cluster_rules(from_start(at(2.5, 2, "0-0", "2-0"), at(2.6, 1, "1-0", "2-0"), at(3.5, 3, "3-0", "2-0"),
                                    at(4.5, 4, "3-0", "4-0"))) == []
    assert "disorder" in cluster_rules(from_start(at(1.5, 1, "1-0", "0-0"), at(2.5, 2, "0-0", "2-0"),
                                                  at(3.5, 3, "3-0", "2-0"), at(4.5, 4, "3-0", "4-0")))


def test_a_hole_in_one_partition_is_found_whatever_came_in_the_other():
    assert cluster_rules(from_start(at(1.5, 1, "1-0", "0-0"), at(3.5, 3, "3-0", "0-0"), at(4.5, 4, "3-0", "4-0"))) == ["hole"]


def test_a_position_has_all_partitions_of_the_connection_and_no_other():
    assert "position" in cluster_rules(from_start(at(1.5, 1, "1-0"), at(2.5, 2, "1-0", "2-0"), at(3.5, 3, "3-0", "2-0")))
    assert "position" in cluster_rules(from_start(at(1.5, 1, "1-0", "0-0"), topics=(P3,), position=("0-0",)))


def test_an_event_of_two_partitions_is_due_by_the_first_of_its_topics_that_is_heard():
    assert cluster_rules(from_start(at(2.5, 2, None, "2-0"), at(3.5, 3, None, "3-5"), at(4.5, 4, None, "4-0"), topics=(P7,),
                                    position=(None, "0-0"))) == []
    assert cluster_rules(from_start(at(2.5, 2, None, "2-0"), at(4.5, 4, None, "4-0"), topics=(P7,),
                                    position=(None, "0-0"))) == ["hole"]
    # by the copy of partition 7 although it hears the first topic
    assert set(cluster_rules(from_start(at(1.5, 1, "1-0", "0-0"), at(2.5, 2, "1-0", "2-0"), at(3.5, 3, "1-0", "3-5"),
                                        at(4.5, 4, "1-0", "4-0")))) == {"ids", "disorder"}


def test_a_reset_of_that_topic_alone_tells_of_it():
    def listener(topic):
        return (from_start(at(1.5, 1, "1-0", "0-0"), at(2.5, 2, "1-0", "2-0")),
                from_cursor(vector("1-0", "2-0"), reset(5.6, topic), ("id", 5.7, vector("3-0", "4-0")), reset=[topic],
                            replayed={P3: 1, P7: 1}[topic]))
    assert "position" in cluster_rules(*listener(P7), losses=[(0, 0)])
    assert cluster_rules(*listener(P3), losses=[(0, 0)], events=SHARED[:3] + [shared(4, P3, p3="3-5", begin=99)]) in ([], ["open"])


def test_an_event_may_come_by_another_partition_to_whoever_changed_its_topics_alone():
    before = from_start(at(2.5, 2, None, "2-0"), at(3.5, 3, None, "3-5"), topics=(P7,), position=(None, "0-0"))
    after = from_cursor(vector(None, "3-5"), reset_unknown(5.6, P3), at(5.7, 4, "2-0", "4-0"), at(5.8, 3, "3-0", "4-0"),
                        position=vector("2-0", "3-5"), reset=[P3], replayed=1)
    assert cluster_rules(before, after) == []
    same = from_cursor(vector(None, "3-5"), at(5.7, 3, None, "3-6"), topics=(P7,), replayed=1)
    assert "double" in cluster_rules(before, same)


def reset_unknown(t, *topics):
    return ("reset", t, list(topics), "unknown")


def test_unknown_is_right_only_where_the_cursor_says_nothing_of_the_partition():
    before = from_start(at(2.5, 2, None, "2-0"), at(3.5, 3, None, "3-5"), topics=(P7,), position=(None, "0-0"))
    right = from_cursor(vector(None, "3-5"), reset_unknown(5.6, P3), ("id", 5.7, vector("3-0", "4-0")),
                        position=vector("3-0", "3-5"), reset=[P3], replayed=1)
    assert "reset" not in cluster_rules(before, right)
    wrong = from_cursor(vector(None, "3-5"), reset_unknown(5.6, P7), reset=[P7], topics=(P7,))
    assert "reset" in cluster_rules(before, wrong)
    resumed = from_cursor(vector(None, "3-5"), at(5.6, 4, "3-0", "4-0"), position=vector("3-0", "3-5"), replayed=1)
    assert "open" in cluster_rules(before, resumed)


def test_only_what_was_lost_may_be_reset_and_only_below_the_mark():
    def found(**options):
        return cluster_rules(from_start(at(1.5, 1, "1-0", "0-0"), at(2.5, 2, "1-0", "2-0"), reset(3.0, P3)),
                             events=SHARED[:2], history_size=10, **options)
    assert found(losses=[(2, 2.5, [3])]) == []
    assert found(losses=[(2, 2.5, [3], {"3": "9-0"})]) == []
    assert found(losses=[(2, 2.5, [3], {"3": "1-0"})]) == ["reset"]
    assert found(losses=[(2, 2.5, [7])]) == ["reset"]
    assert found() == ["reset"]


def test_an_acknowledged_event_that_a_failover_lost_is_told_to_everybody_who_had_to_see_it():
    """1 was lost; 2 is in the log. losses says when, and logged what is left."""
    events = [event(1), event(2)]
    lost = {"losses": [(0.9, 1.5)], "logged": [[2, "2-0", "a"]], "whole": True}
    assert rules(events, first(got(1), got(2), topics=["a"]), **lost) == []       # who saw it
    assert rules(events, first(got(2), topics=["a"]), **lost) == ["hole"]
    assert rules(events, first(reset(1.6, "a"), got(2), topics=["a"]), **lost) == []
    assert rules(events, first(topics=["a"]), losses=[], logged=lost["logged"], whole=True) == ["log"]


def test_an_event_that_a_former_master_took_below_the_positions_of_its_successor_is_told_some_time():
    """3 was taken and lost when positions were at 5-0 already."""
    events = [event(3, id="3-0", begin=6.0), event(7, id="7-0", begin=7.0)]
    lost = {"losses": [(5.5, 6.5)], "logged": [[7, "7-0", "a"]], "whole": True}
    assert rules(events, first(("id", 5.0, "5-0"), got(7), topics=["a"]), **lost) == ["hole"]
    assert rules(events, first(("id", 5.0, "5-0"), reset(6.7, "a"), got(7), topics=["a"]), **lost) == []
    left = [Life("0.0", [first(("id", 5.0, "5-0"), got(7), topics=["a"])], last=False)]
    assert Verdict(Records(events, left, **lost)).violations == []                # it left before it could be told


def test_who_is_slow_is_reset_only_where_that_is_the_policy():
    events = [event(1), event(2)]
    slow = first(got(1), ("reset", 2.5, ["a"], "slow"), topics=["a"])
    assert rules(events, slow, history_size=100, drops=True) == []
    assert rules(events, slow, history_size=100) == ["reset"]


def test_ids_may_go_back_after_a_loss_where_another_worker_knows_another_master_and_nowhere_else():
    """It brings the position of one master to a worker that still speaks to the one before."""
    events = [event(1)]
    back = again("9-0", ("reset", 2.6, ["a"], "redis_lost"), ("id", 2.7, "2-0"), topics=["a"], began=2.0, reset=["a"])
    assert rules(events, back, losses=[(0.0, 5.0)], several=True) == []
    assert set(rules(events, back, losses=[(0.0, 5.0)])) == {"disorder"}
    twice = again("9-0", ("reset", 2.6, ["a"], "redis_lost"), ("id", 2.7, "2-0"), ("id", 3.7, "1-0"), topics=["a"], began=2.0,
                  reset=["a"])
    assert rules(events, twice, losses=[(0.0, 5.0)], several=True) == ["disorder"]


def test_an_event_of_unknown_outcome_that_nobody_saw_may_have_filled_the_log():
    events = [event(1), event(2, outcome="unknown", id=None), event(3), event(4)]
    trimmed = first(got(1), ("reset", 4.5, ["a"], "trimmed"), topics=["a"])
    assert rules(events, trimmed, history_size=2) == []
    assert rules([event(1), event(3), event(4)], trimmed, history_size=2) == ["reset"]
    refused = [event(1), event(2, outcome="refused", id=None), event(3), event(4)]
    assert rules(refused, trimmed, history_size=2) == ["reset"]

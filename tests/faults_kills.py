"""Kills, requests to leave, and two processes at once."""

import random
import signal
import time

import forks
from faults import STAGES, Outcome, fault
from sameness import differences, snapshot

#: Tries of each kind and verb.
KILLS = 4


def killed(box, stage, how):
    """Kill a verb again and again at seeded moments, then let it end, until there were enough kills."""
    moments = random.Random(f"{stage} {how}")
    kills, lost, last = 0, set(), None
    while kills < KILLS:
        folder = box.before(stage)
        before = snapshot(folder)
        while kills < KILLS:
            answer = _killed_once(box, stage, how, folder, moments)
            if answer.status == 0:
                break
            assert answer.status == -signal.SIGKILL, answer.said
            kills, last = kills + 1, answer
            lost |= {name for name, digest in before.items() if snapshot(folder).get(name) != digest}
        answer = forks.run(STAGES[stage], folder)
        assert answer.status == 0, answer.said
        lost |= set(differences(folder, box.after(stage)))
    return Outcome(
        kills, len(lost), "the rerun leaves the same files" if not lost else str(lost), last.status
    )


def _killed_once(box, stage, how, folder, moments):
    if how == "operations":
        return forks.run(STAGES[stage], folder, ("die_at", moments.randint(1, box.operations[stage])))
    verb = forks.Verb(STAGES[stage], folder)
    verb.ended(within=moments.uniform(0, box.seconds[stage]))
    verb.signal(signal.SIGKILL)
    return verb.answer()


for _stage, _name in (
    ("train", "training"),
    ("probe", "probing"),
    ("measure", "measuring"),
    ("prune", "pruning"),
    ("evolve", "following the heads"),
):
    fault(f"kill -9 while {_name}, by the clock", _stage, "clock")(killed)
    fault(f"kill -9 while {_name}, by file operations", _stage, "operations")(killed)


@fault("SIGTERM while measuring", "measure", ("slow_pass", 0.05), "step")
@fault("SIGTERM while probing", "probe", ("slow", 0.05), "step 4")
@fault("SIGTERM while training", "train", ("slow", 0.05), "step 4")
def asked_to_leave(box, stage, hook, word):
    """Ask a verb to leave; it says so, leaves nothing half-written, and the rerun ends as if undisturbed."""
    folder = box.before(stage)
    before = snapshot(folder)
    verb = forks.Verb(STAGES[stage], folder, hook)
    wait_for(verb, word)
    verb.signal(signal.SIGTERM)
    answer = verb.answer()
    assert answer.clean, answer.said
    lost = {name for name, digest in before.items() if snapshot(folder).get(name) != digest}
    again = forks.run(STAGES[stage], folder)
    assert again.status == 0, again.said
    lost |= set(differences(folder, box.after(stage)))
    return Outcome(1, len(lost), answer.sentence, answer.status)


@fault("two processes follow the heads in one folder", "evolve", ("slow", 0.02), "step 2")
@fault("two processes measure in one folder", "measure", ("slow_pass", 0.05), "step")
@fault("two processes probe in one folder", "probe", ("slow", 0.05), "step 2")
@fault("two processes train in one folder", "train", ("slow", 0.05), "step 2")
def two_at_once(box, stage, hook, word):
    """The second is refused, the first ends as if it had been alone."""
    folder = box.before(stage)
    first = forks.Verb(STAGES[stage], folder, hook)
    wait_for(first, word)
    second = forks.run(STAGES[stage], folder)
    assert second.clean, second.said
    assert first.answer().status == 0
    return Outcome(1, len(differences(folder, box.after(stage))), second.sentence, second.status)


def wait_for(verb, word):
    """Wait until a verb has said something."""
    end = time.monotonic() + forks.PATIENCE
    while word not in verb.said():
        assert not verb.ended(within=0.02), verb.said()
        assert time.monotonic() < end

"""The queue of all sessions: who is at work, who waits, and what ends with whom. Jobs are processes that end when they are told."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.runtime import caching
from streamlit.testing.v1 import AppTest

import compress
from compress import SVD, ProjectiveClustering
from compress.answers import tables
from pages.parts.fits import fit_path
from pages.parts.frame import MOVED
from pages.parts.pins import to_link
from pages.parts.work import ahead, job, jobs, process, queue
from pages.parts.work.queue import QUEUE, Queue, Session, Wish, most_at_work

BEGIN = subprocess.Popen
LONG = ["fit", "toy", "--method", "projective", "--j", "4", "--restarts", "1000"]


@pytest.fixture(autouse=True)
def until_told(monkeypatch):
    """A job is a process that waits for its input to be closed."""
    command = [sys.executable, "-S", "-c", "import os; os.read(0, 1)"]
    monkeypatch.setattr(job.subprocess, "Popen", lambda _, **how: BEGIN(command, **how))


@pytest.fixture
def line():
    """A queue with one core."""
    made = Queue(1)
    yield made
    made.end(patience=0)


def tell_to_end(work):
    work.process.stdin.close()
    assert work.wait(30)


def wishes(*paths):
    return {str(path): Wish(path, ["answers", str(path)]) for path in paths}


def at_work(line):
    return [each.arguments for each in line.jobs if each.running and not each.waiting and not each.ending]


def test_of_three_jobs_on_one_core_one_is_at_work_and_the_others_follow_in_their_order(line):
    session, other = Session(), Session()
    first = line.ask(session, "fit", "a", ["fit", "a"])
    second = line.ask(other, "fit", "b", ["fit", "b"])
    third = line.ask(session, "sweep", "c", ["sweep", "c"])
    assert at_work(line) == [["fit", "a"]] and second.waiting and third.running and third.process is None
    assert [line.place(each) for each in (second, third)] == [1, 2]
    tell_to_end(first)
    assert at_work(line) == [["fit", "b"]] and line.place(third) == 1
    third.stop()
    assert third.stopped and not third.running and third.error is None
    tell_to_end(second)
    assert line.jobs == []


def test_what_is_shown_but_not_asked_for_is_paused_while_something_is(line):
    session = Session()
    aside = line.ask(session, "survey", "a", ["survey", "a"], aside=True)
    asked = line.ask(session, "sweep", "a", ["sweep", "a"])
    assert at_work(line) == [["sweep", "a"]] and aside.waiting and line.place(aside) == 1
    tell_to_end(asked)
    assert at_work(line) == [["survey", "a"]]


def test_what_the_first_picture_of_a_page_waits_for_takes_turns_with_the_page_and_other_work_comes_after_it():
    line, session = Queue(2), Session()
    asked = [line.ask(session, name, "a", [name, "a"], urgent=name == "map") for name in ("map", "fit")]
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert [os.getpriority(os.PRIO_PROCESS, each.process.pid) for each in asked] == [own, 19]
    line.end(patience=0)


def test_what_a_page_began_rests_while_a_hand_moves_and_what_was_asked_for_does_not(line):
    session = Session()
    own = line.ask(session, "fit", "a", ["fit", "a"], own=True)
    line.rest(session)
    later = line.ask(session, "answers", "a", ["answers", "a"], own=True)
    assert at_work(line) == [] and own.paused and later.process is None
    asked = line.ask(session, "sweep", "a", ["sweep", "a"])
    assert at_work(line) == [["sweep", "a"]]
    tell_to_end(asked)
    assert at_work(line) == []
    line.rest(session, 0.01)
    while own.paused:
        os.sched_yield()
    assert at_work(line) == [["fit", "a"]]


def test_what_another_session_waits_for_goes_on_while_a_hand_moves(line):
    session, other = Session(), Session()
    own = line.ask(session, "fit", "a", ["fit", "a"], own=True)
    line.ask(other, "fit", "a", ["fit", "a"], own=True)
    line.rest(session)
    assert not own.paused and at_work(line) == [["fit", "a"]]


def test_in_a_crowd_what_pages_began_rests_while_any_of_them_answers_a_dial(line):
    crowd = [Session(ran=time.monotonic()) for _ in range(queue.MANY + 1)]
    for each in crowd[1:]:
        line.enter(each)
    own = line.ask(crowd[0], "fit", "a", ["fit", "a"], own=True)
    line.rest(crowd[1])
    assert line.crowded and own.paused
    line.rest(crowd[1], 0.0)
    assert not own.paused
    crowd[1].ran -= queue.LATELY
    line.rest(crowd[1])
    assert not line.crowded and not own.paused


def test_a_run_that_a_dial_asked_for_has_the_cores_to_itself(cache, monkeypatch):
    monkeypatch.setattr(ahead, "ON", True)
    page = AppTest.from_function(asking).run()
    (work,) = QUEUE.jobs
    monkeypatch.setattr(ahead, "REST", 600.0)
    page.session_state[MOVED] = True
    page.run()
    assert work.paused
    page.run()
    assert work.paused and not page.exception  # another run does not end the rest


def test_what_is_asked_for_goes_before_what_is_done_ahead_which_then_goes_on(line, tmp_path):
    session = Session(wishes=wishes(tmp_path / "x"))
    line.enter(session)
    line.turn()
    (early,) = line.jobs
    work = line.ask(session, "fit", "a", ["fit", "a"])
    assert at_work(line) == [["fit", "a"]]
    assert os.waitid(os.P_PID, early.process.pid, os.WSTOPPED | os.WNOWAIT).si_status == signal.SIGSTOP
    tell_to_end(work)
    assert at_work(line) == [early.arguments] and not early.paused
    tell_to_end(early)


def test_wishes_are_worked_on_in_their_order_and_each_once(line, tmp_path):
    there, first, second = (tmp_path / name for name in "tfs")
    there.touch()
    session, other = Session(wishes=wishes(there, first, second)), Session(wishes=wishes(first))
    for each in (session, other):
        line.enter(each)
    line.turn()
    (work,) = line.jobs
    assert work.arguments == ["answers", str(first)]
    tell_to_end(work)  # which has made nothing, so it is not tried again
    assert line.failed == {first} and at_work(line) == [["answers", str(second)]]
    session.wishes = {}
    line.turn()
    assert at_work(line) == []


def test_what_is_worked_on_ahead_is_taken_over_by_who_asks_for_it(line, tmp_path):
    session = Session(wishes=wishes(tmp_path / "x"))
    line.enter(session)
    line.turn()
    (early,) = line.jobs
    assert line.ask(session, "fit", "x", early.arguments) is early
    session.wishes = {}
    line.turn()
    assert at_work(line) == [early.arguments]


def test_a_session_that_is_gone_takes_its_jobs_but_not_those_of_others(line):
    session, other = Session(), Session()
    mine = line.ask(session, "fit", "a", ["fit", "a"])
    ours = line.ask(session, "sweep", "b", ["sweep", "b"])
    assert line.ask(other, "sweep", "b", ["sweep", "b"]) is ours and line.shared(ours)
    line.forget(session)
    assert mine.wait(30) and mine.lost and at_work(line) == [["sweep", "b"]]
    line.forget(other)
    assert ours.wait(30) and line.jobs == []


def test_a_session_that_comes_back_in_time_finds_its_jobs_at_work(line, monkeypatch):
    monkeypatch.setattr(queue, "GRACE", 0)
    session = Session()
    work = line.ask(session, "fit", "a", ["fit", "a"])
    back = Session(jobs=session.jobs)
    line.enter(back)
    line.part(session)
    line.enter(session)  # by a script that had not ended yet
    line.forget(session)
    assert line.sessions == [back] and at_work(line) == [work.arguments]


def test_a_job_of_a_page_that_is_left_goes_behind_what_is_asked_for(line):
    session = Session()
    left = line.ask(session, "fit", "a", ["fit", "a"], own=True)
    asked = line.ask(session, "sweep", "b", ["sweep", "b"])
    session.behind = {"fit"}
    line.turn()
    assert at_work(line) == [asked.arguments] and left.paused
    session.behind = set()
    line.turn()
    assert {line.place(left), line.place(asked)} == {1} and len(at_work(line)) == 1
    session.jobs.clear()
    line.turn()
    assert left.wait(30) and asked.wait(30)
    assert left.process.returncode == -signal.SIGKILL  # while what a person asked for may keep what is finished
    assert asked.process.returncode == -signal.SIGTERM


def test_the_end_of_the_server_ends_all_jobs_paused_ones_too(line, tmp_path):
    session = Session(wishes=wishes(tmp_path / "x"))
    line.enter(session)
    line.turn()
    early = line.jobs[0]
    work = line.ask(session, "fit", "a", ["fit", "a"])
    waiting = line.ask(session, "sweep", "b", ["sweep", "b"])
    line.end()
    assert all(each.wait(30) for each in (early, work, waiting)) and waiting.process is None


@pytest.mark.parametrize("given", ["0", "-1", "two", ""])
def test_a_bound_that_is_no_number_is_refused_in_a_sentence(monkeypatch, given):
    monkeypatch.setenv("FLATLAND_JOBS", given)
    with pytest.raises(ValueError, match="FLATLAND_JOBS must be a whole number above 0, got"):
        most_at_work()


def watching():
    from pages.parts.work.watch import watch

    watch("fit", "Full fit")


def starting():
    import compress
    from pages.parts.work import jobs

    jobs.run("map", compress.load_matrix("toy"))


def test_a_job_that_waits_says_its_place_and_can_be_stopped(cache, monkeypatch):
    monkeypatch.setattr(QUEUE, "most", 1)
    for name in "ab":
        QUEUE.ask(Session(), "fit", name, ["fit", name])
    page = AppTest.from_function(watching)
    page.session_state["jobs"] = {}
    page.run()
    waiting = QUEUE.ask(QUEUE.sessions[-1], "fit", "c", ["fit", "c"])
    assert page.run().get("progress")[0].proto.text == "Full fit: waiting, 2nd in line"
    page.button(key="stop_fit").click().run()
    assert waiting.stopped and page.caption[0].value == "Full fit stopped before it had begun."


def test_who_stops_a_job_of_several_stops_it_for_themselves(cache):
    page = AppTest.from_function(watching).run()
    work = QUEUE.ask(QUEUE.sessions[-1], "fit", "a", ["fit", "a"])
    QUEUE.ask(Session(), "fit", "a", ["fit", "a"])
    page.run().button(key="stop_fit").click().run()
    assert page.caption[0].value == "Full fit stopped before it had begun." and not page.get("progress")
    assert work.running and not work.ending


def test_a_browser_that_is_closed_takes_its_jobs_with_it(cache, monkeypatch):
    monkeypatch.setattr(queue, "GRACE", 0)
    AppTest.from_function(watching).run()
    work = QUEUE.ask(QUEUE.sessions[-1], "fit", "a", ["fit", "a"])
    caching.clear_session_resource_cache("test session id")  # as Streamlit does then
    assert work.wait(30) and work.stopped
    monkeypatch.setattr(jobs, "connected", lambda: False)  # while its script goes on for a moment
    late = AppTest.from_function(starting).run().session_state["jobs"]["map"]
    assert late.wait(30) and late.lost


def test_work_ends_with_the_program_that_started_it():
    command = [sys.executable, "-m", "compress", "--attached", *LONG, "--progress"]
    work = BEGIN(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=process.ROOT)
    assert b"restart" in work.stderr.readline()
    work.stdin.close()
    work.stderr.read()
    assert work.wait(30) == -signal.SIGTERM


def test_a_spare_process_ends_with_the_program_that_started_it_while_it_still_loads():
    loads = (
        "from compress.cli.options import ending_with_parent\nwith ending_with_parent():\n print(); import time; time.sleep(600)"
    )
    spare = BEGIN([sys.executable, "-uc", loads], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=process.ROOT)
    assert spare.stdout.readline()
    spare.stdin.close()
    assert spare.wait(30) == 0
    spare.stdout.close()


def test_a_spare_process_takes_the_first_urgent_command_and_one_that_has_ended_none(line, monkeypatch):
    says = [sys.executable, "-S", "-c", "import sys; sys.stderr.write(sys.stdin.readline())"]
    monkeypatch.setattr(process.subprocess, "Popen", lambda _, **how: BEGIN(says, **how))
    process.prepare()
    spare = process.spares[0]
    mine = Session()
    work = line.ask(mine, "map", "a", ["map", "a"], urgent=True)
    assert work.process is spare and work.wait(30)
    assert [json.loads(each) for each in work.errors] == [["--attached", "map", "a", "--progress"]]
    process.prepare()
    process.spares[0].kill()
    process.spares[0].wait()
    other = process.begin_soon(["map", "b"])
    process.give_up(other)  # which is none to spare
    assert other.communicate("another")[1] == "another" and not process.spares
    process.prepare()
    unused = process.spares[0]
    process.leave()
    assert unused.wait(30) and not process.spares


def asking():
    import streamlit as st

    import compress
    from pages.parts.frame import ARRIVED
    from pages.parts.work.ahead import ahead, take_up, under_way, whole_run

    st.session_state[ARRIVED] = False
    with whole_run():
        st.session_state["found"] = ahead(compress.load_matrix("toy"), "squares", most=3)
        st.session_state["under way"] = under_way("squares")
    take_up()


def looking():
    from pages.parts.work.ahead import more

    more()


def test_a_page_is_given_what_there_is_of_a_table_and_runs_again_when_there_is_more(cache, monkeypatch):
    monkeypatch.setattr(ahead, "ON", True)
    page = AppTest.from_function(asking).run()
    (work,) = QUEUE.jobs
    path = Path(work.arguments[work.arguments.index("--out") + 1])
    assert work.ahead and page.session_state["found"] is None and page.session_state["under way"]
    looks, reruns = AppTest.from_function(looking), []
    monkeypatch.setattr(ahead.st, "rerun", lambda: reruns.append(True))

    def runs_again(page):
        reruns.clear()
        looks.session_state[ahead.SEEN] = page.session_state[ahead.SEEN]
        looks.run()
        return bool(reruns)

    assert not runs_again(page)
    tables.Keep(path)({"squares": np.array([0.0])})
    assert runs_again(page)
    assert page.run().session_state["found"]["squares"].tolist() == [0] and not runs_again(page)
    tables.Keep(path)({"squares": np.array([0.0, 1.0])})
    assert not runs_again(page)  # there was something a moment ago
    tables.save(path, {"squares": np.array([0.0, 1.0, 4.0])})
    assert runs_again(page)
    assert page.run().session_state["found"]["squares"].tolist() == [0, 1, 4] and not runs_again(page)
    assert not page.session_state["under way"] and work.lost  # made by another, so not wished any more


def test_pins_are_fitted_ahead_where_pages_find_them_until_that_is_switched_off(open_page, monkeypatch):
    monkeypatch.setattr(ahead, "ON", True)
    method = ProjectiveClustering(k=3, j=2)
    page = open_page("app", pins=to_link([SVD(j=2), method]))
    (work,) = QUEUE.jobs
    path = fit_path(compress.load_matrix("toy").key, method)
    assert work.ahead and work.arguments[work.arguments.index("--out") + 1] == str(path)
    page.toggle(key="work_ahead").set_value(False).run()
    assert work.wait(30) and work.lost and not page.exception


def test_what_a_page_wishes_is_made_by_a_command_of_the_program(cache, made_ahead, monkeypatch):
    monkeypatch.setitem(tables.TABLES, "squares", lambda matrix, keep, progress, most: {"squares": np.arange(most) ** 2})
    page = made_ahead(AppTest.from_function(asking).run())
    assert page.session_state["found"]["squares"].tolist() == [0, 1, 4]

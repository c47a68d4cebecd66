"""The server's one queue: what is at work, what waits, and what no session wants any more.

What people ask for goes before what is done ahead, each in the order it came; what is at work is paused where others go before it.
"""

import atexit
import math
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import TimeoutExpired
from threading import RLock, Timer

from compress import InputError, cache
from compress.sources.hub.cache import folder_of
from pages.parts.work.job import Job

MANY, LATELY = 4, 15.0  # more sessions whose pages ran within so many seconds are a crowd
GRACE = 10.0  # seconds that a session may be away, as while its page is loaded again, and find its jobs at work
FAREWELL = 3.0  # seconds that a server which ends waits for its jobs


@dataclass(frozen=True)
class Wish:
    """A command that is to be run ahead, until its file is there."""

    path: Path
    arguments: list[str]


@dataclass(eq=False)
class Session:
    """What one person's page has asked for: jobs by name, and wishes by name, the first first. behind: names of jobs of a page that
    is not looked at now. rests: until when, in seconds of time.monotonic(), its page's own work leaves the cores to a moving hand.
    closed: whether the session is gone. uses: paths of the files of the cache that its page shows. ran: when its page last began to
    run, by the same clock."""

    jobs: dict[str, Job] = field(default_factory=dict)
    behind: set[str] = field(default_factory=set)
    wishes: dict[str, Wish] = field(default_factory=dict)
    rests: float = -math.inf
    closed: bool = False
    uses: set[str] = field(default_factory=set)
    ran: float = -math.inf


class Queue:
    """Jobs of all sessions, the `most` of them at work. failed: files that a wish was to make and did not."""

    def __init__(self, most: int):
        self.most, self.lock = most, RLock()
        self.sessions: list[Session] = []
        self.jobs: list[Job] = []
        self.failed: set[Path] = set()

    def enter(self, session: Session) -> None:
        """The session is there."""
        with self.lock:
            if session not in self.sessions and not session.closed:
                self.sessions.append(session)

    def part(self, session: Session) -> None:
        """The session is gone; what only it had asked for goes after a while."""
        session.closed = True
        session.wishes = {}
        later = Timer(GRACE, self.forget, [session])
        later.daemon = True
        later.start()
        self.turn()

    def forget(self, session: Session) -> None:
        """Ends what only this session had asked for."""
        with self.lock:
            if session in self.sessions:
                self.sessions.remove(session)
            self.turn()

    def ask(
        self,
        session: Session,
        name: str,
        key: str,
        arguments: list[str],
        own: bool = False,
        aside: bool = False,
        urgent: bool = False,
    ) -> Job:
        """The job of a session that runs a command, by the session's name for it: one that runs it for others or ahead, or a new
        one. own: whether a page asks for it by itself. aside, urgent: see Job."""
        with self.lock:
            same = [job for job in self.jobs if job.arguments == arguments and job.running and not job.ending]
            job = same[0] if same else Job(key, arguments, urgent=urgent)
            job.own = own and (job.own or job.ahead or not same)
            job.ahead, job.aside = False, aside and (job.aside or not same)
            if not same:
                self.jobs.append(job)
            session.jobs[name] = job
            self.enter(session)
            self.turn()
            return job

    def rest(self, session: Session, seconds: float = math.inf) -> None:
        """Pauses what no person of another session waits for and this one's has not asked for, for so long."""
        session.rests = time.monotonic() + seconds
        if seconds < math.inf:
            later = Timer(seconds, self.turn)
            later.daemon = True
            later.start()
        self.turn()

    @property
    def answers(self) -> bool:
        """Whether a page of any session answers a dial."""
        return any(session.rests == math.inf for session in list(self.sessions))

    @property
    def answering(self) -> bool:
        """Whether a page of any session answers a dial, or a hand may be about to move it again."""
        return self.moved(0.0)

    def moved(self, seconds: float) -> bool:
        """Whether a page has answered a dial within so many seconds, or does now."""
        return any(session.rests > time.monotonic() - seconds for session in list(self.sessions))

    @property
    def crowded(self) -> bool:
        """Whether so many people look at pages that each is to have what is cheap: nothing is done ahead, and what is told roughly
        comes from fewer rows."""
        since = time.monotonic() - LATELY
        return sum(session.ran > since and not session.closed for session in list(self.sessions)) > MANY

    def rests(self, job: Job) -> bool:
        """Whether a hand is on a dial, nobody has asked for the job, and nobody else waits for it; in a crowd, whether any page
        answers one."""
        now, people = time.monotonic(), [session for session in self.sessions if not session.closed]
        if self.crowded and self.answers:
            return job.own or job.ahead
        moving = any(session.rests > now for session in people)
        return moving and (job.own or job.ahead) and all(each.rests > now for each in people if self.wants(each, job))

    def wants(self, session: Session, job: Job) -> bool:
        return self.asks(session, job) or any(wish.arguments == job.arguments for wish in list(session.wishes.values()))

    def asks(self, session: Session, job: Job) -> bool:
        return any(each is job for each in list(session.jobs.values()))

    def shared(self, job: Job) -> bool:
        """Whether several sessions have asked for it."""
        return sum(self.asks(session, job) for session in self.sessions) > 1

    def place(self, job: Job) -> int:
        """Of a job that waits: 1 where it is the next."""
        with self.lock:
            waiting = [each for each in self.order() if each.waiting]
            return waiting.index(job) + 1 if job in waiting else 1

    def turn(self) -> None:
        """Brings what is at work in line with what is asked for and wished."""
        with self.lock:
            for job in self.jobs:
                if not job.running and not job.lost:
                    self.failed |= {wish.path for wish in self.wishes_of(job) if not wish.path.exists()}
            self.jobs = [job for job in self.jobs if job.running]
            wishes = list(filter(None, map(self.first_of, self.sessions)))
            for wish in wishes:
                if all(job.arguments != wish.arguments for job in self.jobs):
                    self.jobs.append(Job(wish.path.stem, wish.arguments, ahead=True))
            asked = {id(job) for session in self.sessions for job in list(session.jobs.values())}
            for job in self.jobs:
                if id(job) not in asked and not job.ending and all(job.arguments != wish.arguments for wish in wishes):
                    job.lost = True
                    (job.kill if job.ahead or job.own else job.stop)()  # half a fit is no use to whoever has not asked for it
            order, front = self.order(), self.front()
            chosen = [job for job in order if not self.rests(job)][: self.most]
            for job in order:
                if job not in chosen and not job.waiting:
                    job.pause()
            for job in chosen:
                if job.waiting:
                    job.go(self.ended)
                job.give_way(job.aside or id(job) not in front or self.crowded)

    def ended(self) -> None:
        """A job has ended: the next one begins, and the cache is brought within its bound."""
        self.turn()
        with suppress(InputError, OSError):
            cache.keep_within(self.in_use())

    def order(self) -> list[Job]:
        """Jobs in the order that they are worked on: what is asked for in front, what goes aside, what has begun, what waits."""
        front, jobs = self.front(), [job for job in self.jobs if not job.ending]
        return sorted(jobs, key=lambda job: (id(job) not in front, job.aside, job.process is None))

    def front(self) -> set[int]:
        """Ids of the jobs that somebody waits for."""
        return {id(job) for session in self.sessions for name, job in list(session.jobs.items()) if name not in session.behind}

    def first_of(self, session: Session) -> Wish | None:
        """The first wish of a session that is still to be done."""
        for wish in list(session.wishes.values()):
            if wish.path not in self.failed and not wish.path.exists():
                return wish
        return None

    def in_use(self) -> set[str]:
        """Paths of the cache that the pages of sessions show, and that their jobs and wishes name, with those of their models."""
        found: set[str] = set()
        for session in list(self.sessions):
            asked = (*list(session.jobs.values()), *list(session.wishes.values()))
            found |= session.uses | {argument for each in asked for argument in each.arguments}
        models = [argument.removeprefix("hub:").partition("@")[0] for argument in found if argument.startswith("hub:")]
        return found | {str(folder_of("/".join(model.split("/")[:2]))) for model in models}

    def wishes_of(self, job: Job) -> list[Wish]:
        """Wishes for what the job does."""
        wishes = [wish for session in self.sessions for wish in list(session.wishes.values())]
        return [wish for wish in wishes if wish.arguments == job.arguments]

    def end(self, patience: float = FAREWELL) -> None:
        """Ends every job, by force what has not ended after so many seconds, and forgets every session."""
        with self.lock:
            jobs, self.jobs, self.sessions, self.failed = self.jobs, [], [], set()
        by = time.monotonic() + patience
        for job in jobs:
            job.stop()
        for job in jobs:
            if job.process:
                with suppress(TimeoutExpired):
                    job.process.wait(max(0.0, by - time.monotonic()))
                job.kill()


def most_at_work() -> int:
    """How many jobs may be at work together: FLATLAND_JOBS, else one for each core but the page's."""
    given = os.environ.get("FLATLAND_JOBS")
    if given is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, cores - 1)
    if not given.isdecimal() or int(given) < 1:
        raise ValueError(f"FLATLAND_JOBS must be a whole number above 0, got {given!r}")
    return int(given)


QUEUE = Queue(most_at_work())
atexit.register(QUEUE.end)

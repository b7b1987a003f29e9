"""Where codec work runs: a few threads beside the event loop, with lanes that keep order.

PyAV and numpy release the GIL while they decode, scale, copy and encode, so plain threads give
real parallelism. A result comes back to the loop by one wake-up for all results that are ready,
because a wake-up per picture (400 a second for sixteen rooms) would cost more than it carries.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")

Done = Callable[[T | Exception], None]
"""Takes the result of the work, or the exception it ended with."""


class Lane(Protocol):
    """Work that must run one after the other: one source's decoder, one view's canvas."""

    @property
    def pending(self) -> int:
        """Pieces of work submitted whose ``done`` has not been called yet."""

    def submit(self, work: Callable[[], T], done: Done[T]) -> None:
        """Run ``work`` after everything submitted to this lane before."""

    def close(self) -> None:
        """Drop work that has not begun; no ``done`` of this lane is called any more."""


class Pool(Protocol):
    """Runs work and hands its result back; ``done`` is always called on the loop's thread."""

    def submit(self, work: Callable[[], T], done: Done[T]) -> None:
        """Run ``work`` as soon as a worker is free, in no particular order."""

    def lane(self) -> Lane:
        """A new lane; lanes run beside each other."""

    def busy_s(self, now: float) -> float:
        """How long the oldest piece of work that runs has been running; 0 when none does."""

    def close(self) -> None:
        """Stop the workers. Work that runs is finished; its result is dropped."""


class CodecPool:
    """Threads that take work from one queue.

    Args:
        workers: number of threads; the number of cores is a good choice.
        call_soon_threadsafe: the loop's method of that name; called from worker threads.
    Cost: about 20 µs per piece of work, and one loop wake-up per batch of results.
    """

    def __init__(
        self, workers: int, call_soon_threadsafe: Callable[[Callable[[], None]], object]
    ) -> None:
        if workers < 1:
            raise ValueError("a pool needs at least one worker")
        self._call_soon_threadsafe = call_soon_threadsafe
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._results: deque[Callable[[], None]] = deque()
        self._woken = False
        self._closed = False
        self._began: list[float | None] = [None] * workers
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"codec-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], T], done: Done[T]) -> None:
        """Run ``work`` on the next free worker, then ``done`` on the loop."""
        if not self._closed:
            self._work.put(lambda: self._deliver(_bind(done, _outcome(work))))

    def busy_s(self, now: float) -> float:
        """See ``Pool``; ``now`` is of ``time.monotonic``."""
        return max((now - began for began in self._began if began is not None), default=0.0)

    def lane(self) -> Lane:
        """A lane on this pool."""
        return _QueuedLane(self)

    def close(self) -> None:
        """Stop: work that runs is waited for, work that waits is dropped. Idempotent."""
        if self._closed:
            return
        self._closed = True
        with self._lock:
            self._results.clear()
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        while (task := self._work.get()) is not None:
            if not self._closed:
                self._began[number] = time.monotonic()
                task()
                self._began[number] = None
            del task  # an idle worker must not keep a decoder or a canvas alive

    def _deliver(self, call: Callable[[], None]) -> None:
        with self._lock:
            if self._closed:
                return
            self._results.append(call)
            if self._woken:
                return
            self._woken = True
        try:
            self._call_soon_threadsafe(self._drain)
        except RuntimeError:
            # The loop is closed: nobody is left to take results, so there is nothing to report.
            self._closed = True

    def _drain(self) -> None:
        with self._lock:
            ready, self._results = self._results, deque()
            self._woken = False
        while ready:
            try:
                ready.popleft()()
            except BaseException:
                # The loop reports the defect; the results behind it must not be lost with it.
                with self._lock:
                    self._results.extendleft(reversed(ready))
                    again = bool(self._results) and not self._woken
                    self._woken = self._woken or again
                if again:
                    self._call_soon_threadsafe(self._drain)
                raise


class InlinePool:
    """Runs work at once, in the caller: for virtual time, where nothing may happen by itself."""

    def __init__(self) -> None:
        self._closed = False

    def submit(self, work: Callable[[], T], done: Done[T]) -> None:
        """Run ``work`` and ``done`` before returning."""
        if not self._closed:
            done(_outcome(work))

    def lane(self) -> Lane:
        """A lane; work submitted from inside ``done`` runs after it."""
        return _QueuedLane(self)

    def busy_s(self, now: float) -> float:
        """Nothing runs between calls."""
        return 0.0

    def close(self) -> None:
        """Ignore further work."""
        self._closed = True


class _QueuedLane:
    """Keeps one piece of work in the pool and the others waiting. Lives on the loop's thread."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: deque[Callable[[], None]] = deque()
        self._running = False
        self._closed = False

    @property
    def pending(self) -> int:
        return len(self._waiting) + self._running

    def submit(self, work: Callable[[], T], done: Done[T]) -> None:
        if self._closed:
            return
        self._waiting.append(lambda: self._pool.submit(work, lambda result: finish(result)))

        def finish(result: T | Exception) -> None:
            if self._closed:
                return
            try:
                done(result)
            finally:
                # Only now: what ``done`` submits waits for it to return.
                self._running = False
                self._start_next()

        if not self._running:
            self._start_next()

    def close(self) -> None:
        self._closed = True
        self._waiting.clear()

    def _start_next(self) -> None:
        if self._waiting and not self._running and not self._closed:
            self._running = True
            self._waiting.popleft()()


def _outcome(work: Callable[[], T]) -> T | Exception:
    try:
        return work()
    except Exception as error:  # every failure belongs to whoever submitted the work
        return error


def _bind(done: Done[T], outcome: T | Exception) -> Callable[[], None]:
    return lambda: done(outcome)

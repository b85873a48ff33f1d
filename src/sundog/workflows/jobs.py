"""Jobs that go on after a request was answered."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

LOG = logging.getLogger(__name__)


class Jobs:
    """A bounded number of threads that work off jobs in the order they came."""

    def __init__(self, workers: int = 4) -> None:
        """Start no thread before the first job."""
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="job")
        self._unfinished = 0
        self._lock = Lock()

    @property
    def is_idle(self) -> bool:
        """Whether every job that was begun has ended."""
        with self._lock:
            return not self._unfinished

    def begin(self, work: Callable[[], object]) -> None:
        """Queue a job; what it raises is logged."""
        with self._lock:
            self._unfinished += 1
        self._pool.submit(work).add_done_callback(self._ended)

    def finish(self) -> None:
        """Do what is queued, then end the threads."""
        self._pool.shutdown(wait=True)

    def _ended(self, job: Future[object]) -> None:
        with self._lock:
            self._unfinished -= 1
        error = job.exception()
        if error is not None:
            LOG.error("A job failed", exc_info=error)

    def __enter__(self) -> Self:
        """Use it in a with statement; leaving finishes."""
        return self

    def __exit__(self, *_: object) -> None:
        """Finish."""
        self.finish()

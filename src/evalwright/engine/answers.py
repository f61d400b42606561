"""Use of stored answers, as the run's settings say."""

from __future__ import annotations

from evalwright.core.output import Output
from evalwright.core.run import CacheMode
from evalwright.engine.cache import AnswerCache, cache_key
from evalwright.engine.feed import Work


class Answers:
    """Finds and keeps answers; does nothing when the cache is off."""

    def __init__(self, cache: AnswerCache | None, mode: CacheMode, target_digest: str) -> None:
        self._cache = cache if mode is not CacheMode.OFF else None
        self._writes = mode is CacheMode.ON
        self._target_digest = target_digest

    def open(self) -> None:
        """Open the cache in this process."""
        if self._cache is not None:
            self._cache.open()

    def close(self) -> None:
        """Write what is pending."""
        if self._cache is not None:
            self._cache.close()

    def find(self, work: Work) -> Output | None:
        """The stored answer to a unit that was not tried yet, None when there is none."""
        if self._cache is None or work.calls:
            return None
        return self._cache.get(cache_key(self._target_digest, work.call))

    def keep(self, work: Work, output: Output) -> None:
        """Keep an answer."""
        if self._cache is not None and self._writes:
            self._cache.put(cache_key(self._target_digest, work.call), output)

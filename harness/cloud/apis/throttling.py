"""How often a stage, a route or a key may be used: token buckets and quotas on the injected clock.

LIMITATIONS: an account's own limit (10,000 requests a second) is not enforced; nobody reaches it here.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

from harness.cloud.apis.definitions import Quota, Throttle
from harness.cloud.clock import Clock


@dataclass
class _Bucket:
    tokens: float
    filled: datetime


class Throttles:
    """The state of all limits. One thread uses it, the event loop's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[Hashable, _Bucket] = {}
        self._counts: dict[Hashable, tuple[str, int]] = {}
        self._first_periods: dict[Hashable, str] = {}

    def admit(self, what: Hashable, throttle: Throttle) -> bool:
        """Whether a request fits, which it then takes from the bucket of `what`."""
        rate, burst = throttle.rate, throttle.burst
        if rate is None or burst is None or rate < 0 or burst < 0:
            return True
        now = self._clock.now()
        bucket = self._buckets.setdefault(what, _Bucket(float(burst), now))
        elapsed = max(0.0, (now - bucket.filled).total_seconds())
        bucket.tokens = min(float(burst), bucket.tokens + elapsed * rate)
        bucket.filled = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def within(self, what: Hashable, quota: Quota) -> bool:
        """Whether a request is within the quota of the period, to which it then counts."""
        period = _period(quota.period, self._clock.now())
        first = self._first_periods.setdefault(what, period)
        limit = quota.limit - (quota.offset if period == first else 0)
        counted, count = self._counts.get(what, (period, 0))
        count = count if counted == period else 0
        if count >= limit:
            return False
        self._counts[what] = (period, count + 1)
        return True

    def reset(self) -> None:
        """Forget every request."""
        self._buckets.clear()
        self._counts.clear()
        self._first_periods.clear()


def _period(kind: str, now: datetime) -> str:
    if kind == "MONTH":
        return f"{now:%Y-%m}"
    if kind == "WEEK":
        # Weeks begin on Sunday.
        return f"{now - timedelta(days=(now.weekday() + 1) % 7):%Y-%m-%d}"
    return f"{now:%Y-%m-%d}"

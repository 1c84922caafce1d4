"""Baking: waiting while alarms are watched (docs/notes/alarms.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from harness.cloud.backing import alarm_evaluation
from harness.cloud.backing.alarms import Alarm, AlarmStore
from harness.cloud.clock import Clock
from harness.cloud.interruption import Interruption

# As often as CloudWatch evaluates an alarm of the shortest period.
LOOK_SECONDS = 10.0


@dataclass(frozen=True)
class Watch:
    """The alarms that may roll a deployment back."""

    alarms: AlarmStore
    account: str
    region: str
    names: Sequence[str]

    def bake(self, begin: datetime, seconds: float, clock: Clock, cut: Interruption) -> str | None:
        """Wait until `seconds` after `begin`; the alarm that cut it short, or None.

        None, too, if `cut` is set.
        """
        end = begin + timedelta(seconds=seconds)
        moment = begin
        while True:
            # As of the moment that was waited for: a clock that is moved by hand may be far beyond it.
            alarm = self.look(moment)
            if alarm is not None or moment >= end:
                return alarm
            moment = min(end, moment + timedelta(seconds=LOOK_SECONDS)) if self.names else end
            if cut.pause_until(moment, clock):
                return None

    def look(self, moment: datetime) -> str | None:
        """The first alarm that is in ALARM at `moment`."""
        for name in self.names:
            alarm = self.alarms.find(self.account, self.region, name)
            if alarm is not None and self._state(alarm, moment) == alarm_evaluation.ALARM:
                return name
        return None

    def _state(self, alarm: Alarm, moment: datetime) -> str:
        if alarm.rule is None or (alarm.set_by_hand and alarm.state == alarm_evaluation.ALARM):
            return alarm.state
        begin, end = alarm_evaluation.window(alarm.rule, moment)
        samples = self.alarms.samples(self.account, self.region, alarm.rule, begin, end)
        found = alarm_evaluation.state(alarm.rule, alarm.state, samples, moment)
        if found != alarm.state:
            reason = alarm_evaluation.reason(alarm.rule, found)
            self.alarms.set_state(self.account, self.region, alarm.name, found, reason)
        return found

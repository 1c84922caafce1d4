"""Where a scenario runs, and what that place can do."""

from harness.targets.capabilities import Capability
from harness.targets.lab import Lab
from harness.targets.place import Place, Target

__all__ = ["Capability", "Lab", "Place", "Target"]

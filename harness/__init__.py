"""The whole SageMaker flow on your own machine, by the real SDK, with every invariant checked."""

__version__ = "0.1.0"

"""The serializers of the SageMaker SDK themselves, of v2 and v3: the same suite runs with either."""

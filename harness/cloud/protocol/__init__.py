"""The wire, driven by botocore's service models."""

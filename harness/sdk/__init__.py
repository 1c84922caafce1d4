"""What makes the SageMaker Python SDK and boto3 talk to a local cloud: variables, settings files and a hook."""

"""What answers for API Gateway: the APIs that were made, called."""

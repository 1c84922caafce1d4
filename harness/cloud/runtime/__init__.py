"""InvokeEndpoint and its kin."""

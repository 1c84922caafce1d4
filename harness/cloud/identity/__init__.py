"""Who signed a request, and what they may do."""

"""One function for each result: what the registry names, called with a context."""

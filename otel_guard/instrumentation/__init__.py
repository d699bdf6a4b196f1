"""One small file a library, all of one shape."""

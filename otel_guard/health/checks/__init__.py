"""One file a dependency, all of one shape."""

"""One file a channel: it renders notices and says what its server answered."""

"""What the guard is built of, made from the settings; what is wrong is a line each."""

"""What every floor above needs of the process: failsafe, suppression, worker, clock, ids."""

"""`make bench`: every figure we claim, as ratios of variants that take turns in one run."""

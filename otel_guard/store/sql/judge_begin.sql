-- Compiling one of these questions costs more than its answer: half a second at a million rows (measured).
SELECT set_config('jit', 'off', true)

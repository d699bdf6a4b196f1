"""What watches the rows: rules, cycles, retention, reports."""

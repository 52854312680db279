-- Until when a holder without a session of its own holds the task; null: its session says.
ALTER TABLE {sync}.task ADD COLUMN held_until timestamptz;

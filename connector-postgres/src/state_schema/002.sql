-- What a refused record held: null unless that is to be kept.
ALTER TABLE {sync}.rejection ADD COLUMN payload jsonb;

-- States, journals and rejections. `{sync}` is the schema's name, quoted.
CREATE TABLE {sync}.meta (version integer NOT NULL);
INSERT INTO {sync}.meta VALUES (1);

-- One row per task: who may commit (epoch), how often was committed, and where the stream was left off.
CREATE TABLE {sync}.task (
    task text PRIMARY KEY,
    epoch bigint NOT NULL,
    commit_no bigint NOT NULL,
    state jsonb,
    holder text NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    committed_at timestamptz
);

-- The other sides of write-backs: fingerprints belong to one of these.
CREATE TABLE {sync}.target (
    target integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identity text NOT NULL,
    object text NOT NULL,
    match_on text[] NOT NULL,
    fields text[] NOT NULL,
    UNIQUE (identity, object)
);

-- One row per record of a target. `planned`: to be sent; `sent`: sent, no answer yet; `confirmed`: the other side
-- holds what `confirmed` says; `unconfirmed`: it refused the record, or was edited since, and is offered it again.
CREATE TABLE {sync}.intent (
    target integer NOT NULL REFERENCES {sync}.target,
    key text COLLATE "C" NOT NULL,
    state text NOT NULL CHECK (state IN ('planned', 'sent', 'confirmed', 'unconfirmed')),
    payload jsonb,
    confirmed jsonb,
    ticket text,
    PRIMARY KEY (target, key)
) WITH (fillfactor = 60);

-- Work that the other side may still be doing for a task.
CREATE TABLE {sync}.ticket (
    task text NOT NULL,
    target integer NOT NULL REFERENCES {sync}.target,
    ticket text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (task, ticket)
);

-- Records that were refused, with the reason; never with their contents.
CREATE TABLE {sync}.rejection (
    task text NOT NULL,
    epoch bigint NOT NULL,
    sequence bigint NOT NULL,
    key text,
    code text NOT NULL,
    message text NOT NULL,
    fields text[] NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON {sync}.rejection (task, epoch);

-- The master keys that wrap or wrapped the others, by a fingerprint. The one that was not replaced
-- wraps; one that was replaced and not retired still opens what has not been wrapped anew.
CREATE TABLE master_keys (
    version     INTEGER PRIMARY KEY NOT NULL,
    fingerprint BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    replaced_at INTEGER,
    retired_at  INTEGER
) STRICT;

-- Secrets of the service, wrapped by the master key.
CREATE TABLE service_keys (
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    wrapped    BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

-- One key a UTC day (days since 1970-01-01). Without the wrapped key nothing of that day opens.
CREATE TABLE day_keys (
    day          INTEGER PRIMARY KEY NOT NULL,
    wrapped      BLOB,
    created_at   INTEGER NOT NULL,
    destroyed_at INTEGER
) STRICT;

-- An append-only Merkle log. An entry's nodes are the hashes of the subtrees that it completes, 32 bytes
-- each: of itself, of two entries, of four...
CREATE TABLE audit_log (
    seq       INTEGER PRIMARY KEY NOT NULL,
    at        INTEGER NOT NULL,
    actor     BLOB,
    action    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    document  TEXT,
    reason    TEXT,
    people    INTEGER,
    nodes     BLOB NOT NULL
) STRICT;
CREATE INDEX audit_log_at ON audit_log (at);

-- What the log was, signed.
CREATE TABLE audit_checkpoints (
    size INTEGER PRIMARY KEY NOT NULL,
    at   INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;

-- How often people's names were opened, to tell them: by UTC day, purpose and province of the office.
CREATE TABLE opened (
    person_id BLOB NOT NULL,
    day       INTEGER NOT NULL,
    purpose   TEXT NOT NULL,
    office    TEXT NOT NULL,
    times     INTEGER NOT NULL,
    PRIMARY KEY (person_id, day, purpose, office)
) STRICT, WITHOUT ROWID;
CREATE INDEX opened_day ON opened (day);

CREATE TABLE accounts (
    id            BLOB PRIMARY KEY NOT NULL,
    login_hash    BLOB NOT NULL UNIQUE,
    login_sealed  BLOB NOT NULL,
    role          TEXT NOT NULL,
    province      TEXT,
    password_hash TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    disabled_at   INTEGER,
    -- The second factor: its secret, the last step used, misses in a row.
    totp_sealed    BLOB,
    totp_step      INTEGER,
    totp_misses    INTEGER NOT NULL DEFAULT 0,
    totp_missed_at INTEGER,
    -- A day's budgets where they are not the usual ones.
    lookups_per_day INTEGER,
    people_per_day  INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id_hash    BLOB PRIMARY KEY NOT NULL,
    family     BLOB NOT NULL,
    kind       TEXT NOT NULL,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    proved_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_family ON sessions (family);
CREATE INDEX sessions_account ON sessions (account_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- What an officer has done on one day in Vietnam (days since 1970-01-01), against the budgets.
CREATE TABLE budget_days (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    day        INTEGER NOT NULL,
    lookups    INTEGER NOT NULL,
    refused_at INTEGER,
    PRIMARY KEY (account_id, day)
) STRICT, WITHOUT ROWID;

-- People opened on that day, by run: opening a run twice costs no more than all its people.
CREATE TABLE budget_runs (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    day        INTEGER NOT NULL,
    run_id     BLOB NOT NULL,
    people     INTEGER NOT NULL,
    PRIMARY KEY (account_id, day, run_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE venues (
    id             INTEGER PRIMARY KEY NOT NULL,
    public_id      BLOB NOT NULL UNIQUE,
    owner_id       BLOB NOT NULL REFERENCES accounts (id),
    name           TEXT NOT NULL,
    kind           TEXT NOT NULL,
    catalogue      TEXT NOT NULL,
    province       TEXT NOT NULL,
    ward           TEXT NOT NULL,
    street         TEXT NOT NULL,
    contact_sealed BLOB NOT NULL,
    created_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX venues_owner ON venues (owner_id, id);

CREATE TABLE checkpoints (
    id             INTEGER PRIMARY KEY NOT NULL,
    public_id      BLOB NOT NULL UNIQUE,
    venue_id       INTEGER NOT NULL REFERENCES venues (id),
    site_id        INTEGER NOT NULL,
    code           BLOB NOT NULL UNIQUE,
    name           TEXT NOT NULL,
    kind           TEXT NOT NULL,
    stay_minutes   INTEGER,
    capacity       INTEGER,
    opening_hours  TEXT,
    listed         INTEGER NOT NULL,
    vehicle_sealed BLOB,
    poster_version INTEGER NOT NULL,
    poster_at      INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    changed_at     INTEGER NOT NULL,
    closed_at      INTEGER
) STRICT;
CREATE INDEX checkpoints_venue ON checkpoints (venue_id, id);
CREATE INDEX checkpoints_site ON checkpoints (site_id);
CREATE INDEX checkpoints_changed ON checkpoints (changed_at);

CREATE TABLE gatekeepers (
    account_id    BLOB NOT NULL REFERENCES accounts (id),
    checkpoint_id INTEGER NOT NULL REFERENCES checkpoints (id),
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (account_id, checkpoint_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE declarations (
    person_id       BLOB NOT NULL,
    id              BLOB NOT NULL,
    contact_sealed  BLOB NOT NULL,
    answers_sealed  BLOB NOT NULL,
    risk            TEXT NOT NULL,
    province        TEXT,
    questionnaire   TEXT NOT NULL,
    consent_version TEXT NOT NULL,
    PRIMARY KEY (id, person_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE person_aliases (
    alias     BLOB PRIMARY KEY NOT NULL,
    person_id BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX person_aliases_person ON person_aliases (person_id);

CREATE TABLE passes (
    code_hash  BLOB PRIMARY KEY NOT NULL,
    person_id  BLOB NOT NULL,
    issued_at  INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passes_person ON passes (person_id);

-- All instants are milliseconds since the epoch, UTC, the precision of the id.
CREATE TABLE check_ins (
    checkpoint_id  INTEGER NOT NULL,
    id             BLOB NOT NULL,
    person_id      BLOB NOT NULL,
    entered_at     INTEGER NOT NULL,
    left_at        INTEGER,
    left_source    TEXT,
    source         TEXT NOT NULL,
    assurance      TEXT NOT NULL,
    headcount      INTEGER NOT NULL,
    seat           TEXT,
    gatekeeper_id  BLOB,
    declaration_id BLOB,
    received_at    INTEGER NOT NULL,
    PRIMARY KEY (checkpoint_id, id),
    CHECK (left_at IS NULL OR (left_at >= entered_at AND left_at - entered_at <= 86400000)),
    CHECK (headcount BETWEEN 1 AND 51)
) STRICT, WITHOUT ROWID;
-- By day first, so that the rows of today touch a small part of it, however many are kept. Six bytes
-- of a pseudonym tell people of one day apart nearly always; sixteen would be half of the index.
CREATE INDEX check_ins_person ON check_ins (entered_at / 86400000, substr(person_id, 1, 6));

-- How far something has come. In SQLite: up to which batch the journal's log is merged.
CREATE TABLE marks (
    name  TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cases (
    id             BLOB PRIMARY KEY NOT NULL,
    number         TEXT NOT NULL UNIQUE,
    province       TEXT,
    disease        TEXT NOT NULL,
    rule_id        TEXT NOT NULL,
    rule_version   INTEGER NOT NULL,
    onset_on       TEXT,
    sampled_on     TEXT,
    confirmed_on   TEXT NOT NULL,
    isolated_at    INTEGER,
    negative_on    TEXT,
    window_from    INTEGER NOT NULL,
    window_until   INTEGER,
    window_because TEXT NOT NULL,
    key_wrapped    BLOB,
    patient_sealed BLOB,
    reported_by    BLOB NOT NULL,
    reported_at    INTEGER NOT NULL,
    worked_at      INTEGER NOT NULL,
    ended_at       INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_province ON cases (province, reported_at);

CREATE TABLE case_persons (
    case_id   BLOB NOT NULL REFERENCES cases (id),
    person_id BLOB NOT NULL,
    PRIMARY KEY (case_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_persons_person ON case_persons (person_id);

-- What a case needs longer than the days that it comes from, sealed by the key of the case file; the
-- entry is a hash of where it stood.
CREATE TABLE case_contacts (
    case_id BLOB NOT NULL REFERENCES cases (id),
    entry   BLOB NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (entry, case_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_contacts_case ON case_contacts (case_id);

CREATE TABLE case_stays (
    case_id BLOB NOT NULL REFERENCES cases (id),
    entry   BLOB NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (case_id, entry)
) STRICT, WITHOUT ROWID;

CREATE TABLE lookup_runs (
    id              BLOB PRIMARY KEY NOT NULL,
    kind            TEXT NOT NULL,
    parent_id       BLOB,
    province        TEXT,
    rule_id         TEXT NOT NULL,
    rule_version    INTEGER NOT NULL,
    rule_set        TEXT NOT NULL,
    parameters      TEXT NOT NULL,
    engine_version  INTEGER NOT NULL,
    high_water_mark INTEGER NOT NULL,
    oldest_kept     INTEGER NOT NULL,
    document        TEXT NOT NULL,
    reason          TEXT NOT NULL,
    officer_id      BLOB NOT NULL,
    approver_id     BLOB,
    state           TEXT NOT NULL,
    warnings        TEXT NOT NULL,
    pairs           INTEGER NOT NULL,
    people_bound    INTEGER NOT NULL,
    ring1           INTEGER NOT NULL,
    ring2           INTEGER NOT NULL,
    result_hash     BLOB NOT NULL,
    created_at      INTEGER NOT NULL,
    released_at     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX lookup_runs_officer ON lookup_runs (officer_id, created_at);
CREATE INDEX lookup_runs_parent ON lookup_runs (parent_id);

-- Who the run traced: a case's person, or one looked up by number; one row a pseudonym.
CREATE TABLE lookup_run_cases (
    run_id      BLOB NOT NULL REFERENCES lookup_runs (id),
    subject     INTEGER NOT NULL,
    case_id     BLOB,
    person_id   BLOB NOT NULL,
    window_from INTEGER NOT NULL,
    window_to   INTEGER NOT NULL,
    PRIMARY KEY (run_id, subject, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX lookup_run_cases_case ON lookup_run_cases (case_id);
CREATE INDEX lookup_run_cases_person ON lookup_run_cases (person_id);

CREATE TABLE lookup_probes (
    run_id        BLOB NOT NULL REFERENCES lookup_runs (id),
    ring          INTEGER NOT NULL,
    probe         INTEGER NOT NULL,
    person_id     BLOB NOT NULL,
    checkpoint_id INTEGER NOT NULL,
    start_at      INTEGER NOT NULL,
    end_at        INTEGER NOT NULL,
    PRIMARY KEY (run_id, ring, probe)
) STRICT, WITHOUT ROWID;

CREATE TABLE lookup_people (
    run_id         BLOB NOT NULL REFERENCES lookup_runs (id),
    ring           INTEGER NOT NULL,
    person_id      BLOB NOT NULL,
    reference      TEXT NOT NULL,
    declaration_id BLOB,
    province       TEXT,
    grade          TEXT NOT NULL,
    certain_ms     INTEGER NOT NULL,
    possible_ms    INTEGER NOT NULL,
    residual_ms    INTEGER NOT NULL,
    score          INTEGER NOT NULL,
    first_at       INTEGER NOT NULL,
    last_at        INTEGER NOT NULL,
    links          INTEGER NOT NULL,
    flags          TEXT NOT NULL,
    PRIMARY KEY (run_id, ring, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX lookup_people_rank ON lookup_people (run_id, ring, score DESC, person_id);
CREATE INDEX lookup_people_person ON lookup_people (person_id);

CREATE TABLE lookup_links (
    run_id         BLOB NOT NULL REFERENCES lookup_runs (id),
    ring           INTEGER NOT NULL,
    from_person    BLOB NOT NULL,
    person_id      BLOB NOT NULL,
    checkpoint_id  INTEGER NOT NULL,
    site_id        INTEGER NOT NULL,
    start_at       INTEGER NOT NULL,
    end_at         INTEGER NOT NULL,
    certain_ms     INTEGER NOT NULL,
    possible_ms    INTEGER NOT NULL,
    residual_ms    INTEGER NOT NULL,
    assumed        INTEGER NOT NULL,
    PRIMARY KEY (run_id, ring, person_id, from_person, checkpoint_id)
) STRICT, WITHOUT ROWID;

-- Messages that wait to be sent. What a message says is wiped when it is sent or given up.
CREATE TABLE outbox (
    id           BLOB PRIMARY KEY NOT NULL,
    template     TEXT NOT NULL,
    sealed       BLOB,
    created_at   INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    not_after    INTEGER,
    tries        INTEGER NOT NULL,
    lease        BLOB,
    leased_until INTEGER,
    dead_at      INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (due_at);

-- One-time codes. The rows of a day are the budget of a number; the number itself is sealed, and
-- wiped when the code was used.
CREATE TABLE otp_codes (
    token_hash   BLOB PRIMARY KEY NOT NULL,
    purpose      TEXT NOT NULL,
    binding_hash BLOB NOT NULL,
    number_hash  BLOB NOT NULL,
    phone_sealed BLOB,
    code_hash    BLOB NOT NULL,
    tries        INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    used_at      INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX otp_codes_number ON otp_codes (number_hash, created_at);
CREATE INDEX otp_codes_created ON otp_codes (created_at);

-- Messages paid for, a row a UTC day.
CREATE TABLE message_days (
    day  INTEGER PRIMARY KEY NOT NULL,
    sent INTEGER NOT NULL
) STRICT;

-- Somebody who has proved by a code that a number is theirs, for some minutes.
CREATE TABLE person_sessions (
    id_hash      BLOB PRIMARY KEY NOT NULL,
    request_id   BLOB NOT NULL,
    person_id    BLOB NOT NULL,
    phone_sealed BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX person_sessions_expiry ON person_sessions (expires_at);
CREATE INDEX person_sessions_person ON person_sessions (person_id);

-- What people asked for under the law on personal data, each with its deadlines. Whose request it is
-- stands here only as long as there is something left to do.
CREATE TABLE rights_requests (
    id           BLOB PRIMARY KEY NOT NULL,
    kind         TEXT NOT NULL,
    state        TEXT NOT NULL,
    person_id    BLOB,
    phone_sealed BLOB,
    received_at  INTEGER NOT NULL,
    reply_due_at INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    replied_at   INTEGER,
    extended_at  INTEGER,
    closed_at    INTEGER,
    held_until   INTEGER,
    rows_erased  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX rights_requests_due ON rights_requests (state, due_at);
CREATE INDEX rights_requests_person ON rights_requests (person_id);
CREATE INDEX rights_requests_closed ON rights_requests (closed_at);

-- Which declarations a person corrected, and what stood there before, sealed under the key of the day.
CREATE TABLE corrections (
    person_id       BLOB NOT NULL,
    declaration_id  BLOB NOT NULL,
    original_sealed BLOB NOT NULL,
    made_at         INTEGER NOT NULL,
    PRIMARY KEY (person_id, declaration_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX corrections_declaration ON corrections (declaration_id);

-- Who took their consent back, and when: declarations made before do not let them in any more.
CREATE TABLE withdrawals (
    person_id BLOB PRIMARY KEY NOT NULL,
    at        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX withdrawals_at ON withdrawals (at);

CREATE TRIGGER audit_log_keep BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_log_whole BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_checkpoints_keep BEFORE UPDATE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_checkpoints_whole BEFORE DELETE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- `INSERT OR REPLACE` deletes without asking the triggers above.
CREATE TRIGGER audit_log_once BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log WHERE seq = NEW.seq)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER audit_checkpoints_once BEFORE INSERT ON audit_checkpoints
WHEN EXISTS (SELECT 1 FROM audit_checkpoints WHERE size = NEW.size)
BEGIN SELECT RAISE(IGNORE); END;

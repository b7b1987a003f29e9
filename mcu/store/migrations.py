"""The schema, one step per entry; ``PRAGMA user_version`` counts the steps that were taken.

Times are RFC 3339 text in UTC with microseconds, so that text order is time order.
"""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE units (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        level TEXT NOT NULL
            CHECK (level IN ('central', 'province', 'district', 'commune', 'agency')),
        parent TEXT REFERENCES units (id),
        version INTEGER NOT NULL DEFAULT 1
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX units_parent ON units (parent);

    CREATE TABLE bridges (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        unit TEXT NOT NULL REFERENCES units (id),
        kind TEXT NOT NULL CHECK (kind IN ('webrtc', 'sip')),
        address TEXT NOT NULL,
        contact_name TEXT NOT NULL,
        contact_phone TEXT NOT NULL,
        importance INTEGER NOT NULL,
        standard TEXT NOT NULL,
        version INTEGER NOT NULL DEFAULT 1
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX bridges_unit ON bridges (unit);

    CREATE TABLE tokens (
        id TEXT PRIMARY KEY,
        secret_sha256 BLOB NOT NULL,
        role TEXT NOT NULL
            CHECK (role IN ('admin', 'operator', 'technician', 'observer', 'bridge')),
        name TEXT NOT NULL,
        unit TEXT REFERENCES units (id) ON DELETE CASCADE,
        bridge TEXT REFERENCES bridges (id) ON DELETE CASCADE,
        conference TEXT,
        created_at TEXT NOT NULL,
        expires_at TEXT,
        revoked_at TEXT,
        last_used_at TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tokens_unit ON tokens (unit);
    CREATE INDEX tokens_bridge ON tokens (bridge);

    CREATE TABLE sessions (
        id_sha256 BLOB PRIMARY KEY,
        token TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
        csrf_token TEXT NOT NULL,
        created_at TEXT NOT NULL,
        expires_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_token ON sessions (token);

    CREATE TABLE conferences (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        unit TEXT NOT NULL,
        started_at TEXT NOT NULL,
        ended_at TEXT,
        snapshot_seq INTEGER,
        snapshot TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX conferences_running ON conferences (id) WHERE ended_at IS NULL;

    CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        time TEXT NOT NULL,
        type TEXT NOT NULL,
        conference TEXT NOT NULL,
        actor TEXT,
        data TEXT NOT NULL
    ) STRICT;
    CREATE INDEX events_conference ON events (conference, seq);
    -- The highest seq ever given out, also when the retention bound has deleted its row.
    -- Rows up to `pruned` may be gone.
    CREATE TABLE event_counter (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        seq INTEGER NOT NULL,
        pruned INTEGER NOT NULL
    ) STRICT;
    INSERT INTO event_counter VALUES (1, 0, 0);

    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        time TEXT NOT NULL,
        actor TEXT,
        role TEXT,
        address TEXT,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        outcome TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_time ON audit (time);

    CREATE TABLE idempotency (
        token TEXT NOT NULL,
        key TEXT NOT NULL,
        request_hash TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        status INTEGER,
        headers TEXT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (token, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX idempotency_expires ON idempotency (expires_at);
    """,
    """
    -- Which sites the registry has taken in: once each, whatever became of them since.
    CREATE TABLE site_imports (
        site TEXT PRIMARY KEY,
        imported_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    -- A registry from before this was written down holds a site already, nobody knows which: the
    -- empty name stands for any.
    INSERT INTO site_imports
        SELECT '', strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') WHERE EXISTS (SELECT 1 FROM units);
    """,
    """
    -- What a hardware room signs in with: hashes (RFC 7616, HA1) that are good for one realm.
    CREATE TABLE sip_secrets (
        bridge TEXT PRIMARY KEY REFERENCES bridges (id) ON DELETE CASCADE,
        realm TEXT NOT NULL,
        ha1_sha256 TEXT NOT NULL,
        ha1_md5 TEXT NOT NULL,
        changed_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    -- What we sign in with at a room that asks us for it: encrypted, as we must know it.
    CREATE TABLE sip_outbound (
        bridge TEXT PRIMARY KEY REFERENCES bridges (id) ON DELETE CASCADE,
        user_name TEXT NOT NULL,
        key_id TEXT NOT NULL,
        sealed BLOB NOT NULL,
        changed_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    -- Where registered rooms are, so that a restart does not lose them.
    CREATE TABLE sip_bindings (
        bridge TEXT NOT NULL REFERENCES bridges (id) ON DELETE CASCADE,
        contact TEXT NOT NULL,
        place INTEGER NOT NULL,
        q REAL NOT NULL,
        expires_at TEXT NOT NULL,
        call_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        transport TEXT NOT NULL,
        host TEXT NOT NULL,
        port INTEGER,
        since TEXT NOT NULL,
        user_agent TEXT NOT NULL,
        PRIMARY KEY (bridge, contact)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    -- What sessions are prepared with.
    CREATE TABLE scenarios (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        unit TEXT NOT NULL REFERENCES units (id),
        document TEXT NOT NULL,
        changed_at TEXT NOT NULL,
        version INTEGER NOT NULL DEFAULT 1
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX scenarios_unit ON scenarios (unit);
    """,
    """
    -- How rooms looked when they were marked in a roll call, by the entry of its record.
    CREATE TABLE roll_call_pictures (
        conference TEXT NOT NULL,
        number INTEGER NOT NULL,
        entry INTEGER NOT NULL,
        taken_at TEXT NOT NULL,
        jpeg BLOB NOT NULL,
        PRIMARY KEY (conference, number, entry)
    ) STRICT;
    CREATE INDEX roll_call_pictures_taken ON roll_call_pictures (taken_at);
    """,
    """
    -- Counts what changes whom a token or a session stands for, whoever writes it; that a token was
    -- used does not.
    CREATE TABLE access_changes (number INTEGER NOT NULL) STRICT;
    INSERT INTO access_changes VALUES (0);
    CREATE TRIGGER token_made AFTER INSERT ON tokens
        BEGIN UPDATE access_changes SET number = number + 1; END;
    CREATE TRIGGER token_changed AFTER UPDATE OF id, secret_sha256, role, name, unit, bridge,
        conference, created_at, expires_at, revoked_at ON tokens
        BEGIN UPDATE access_changes SET number = number + 1; END;
    CREATE TRIGGER token_deleted AFTER DELETE ON tokens
        BEGIN UPDATE access_changes SET number = number + 1; END;
    CREATE TRIGGER session_made AFTER INSERT ON sessions
        BEGIN UPDATE access_changes SET number = number + 1; END;
    CREATE TRIGGER session_changed AFTER UPDATE ON sessions
        BEGIN UPDATE access_changes SET number = number + 1; END;
    CREATE TRIGGER session_deleted AFTER DELETE ON sessions
        BEGIN UPDATE access_changes SET number = number + 1; END;
    """,
    """
    -- What units were before, and who came after those that are no more.
    CREATE TABLE unit_periods (
        unit TEXT NOT NULL,
        name TEXT NOT NULL,
        level TEXT NOT NULL,
        parent TEXT,
        until TEXT NOT NULL,
        change TEXT NOT NULL CHECK (change IN ('changed', 'merged', 'split', 'deleted'))
    ) STRICT;
    CREATE INDEX unit_periods_unit ON unit_periods (unit, until);
    CREATE TABLE former_units (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        level TEXT NOT NULL,
        successor TEXT,
        ended_at TEXT NOT NULL,
        change TEXT NOT NULL CHECK (change IN ('merged', 'split', 'deleted')),
        parts TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX former_units_successor ON former_units (successor);
    """,
    """
    -- Troubles that people deal with. Units and bridges may be gone while this is kept.
    CREATE TABLE incidents (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        unit TEXT NOT NULL,
        bridge TEXT,
        conference TEXT,
        alarm INTEGER,
        state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
        opened_at TEXT NOT NULL,
        document TEXT NOT NULL,
        version INTEGER NOT NULL DEFAULT 1
    ) STRICT;
    CREATE INDEX incidents_bridge ON incidents (bridge, state);
    CREATE INDEX incidents_unit ON incidents (unit);
    CREATE UNIQUE INDEX incidents_alarm ON incidents (conference, alarm) WHERE alarm IS NOT NULL;
    """,
    """
    -- Readiness checks: what happened in them, what came of each room, what rooms should be like.
    CREATE TABLE readiness_checks (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        unit TEXT NOT NULL,
        began_at TEXT NOT NULL,
        ended_at TEXT,
        counts TEXT NOT NULL,
        scenario TEXT,
        due TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX readiness_checks_due ON readiness_checks (scenario, due);
    CREATE TABLE readiness_events (
        check_id TEXT NOT NULL REFERENCES readiness_checks (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        time TEXT NOT NULL,
        type TEXT NOT NULL,
        data TEXT NOT NULL,
        PRIMARY KEY (check_id, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE readiness_results (
        check_id TEXT NOT NULL REFERENCES readiness_checks (id) ON DELETE CASCADE,
        bridge TEXT NOT NULL,
        judged_at TEXT NOT NULL,
        verdict TEXT NOT NULL CHECK (verdict IN ('go', 'no-go')),
        document TEXT NOT NULL
    ) STRICT;
    CREATE INDEX readiness_results_bridge ON readiness_results (bridge);
    CREATE INDEX readiness_results_check ON readiness_results (check_id);
    CREATE TABLE recorded_configurations (
        bridge TEXT PRIMARY KEY REFERENCES bridges (id) ON DELETE CASCADE,
        document TEXT NOT NULL,
        accepted_at TEXT NOT NULL,
        accepted_by TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    """
    -- Who was heard and how good the lines were, a row for each conference and minute.
    CREATE TABLE conference_minutes (
        conference TEXT NOT NULL,
        at TEXT NOT NULL,
        rooms TEXT NOT NULL,
        PRIMARY KEY (conference, at)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX conference_minutes_at ON conference_minutes (at);
    -- A report asks what was done to one conference.
    CREATE INDEX audit_target ON audit (target);
    """,
    """
    -- What was recorded: the files lie under data_dir/recordings.
    CREATE TABLE recordings (
        id TEXT PRIMARY KEY,
        conference TEXT NOT NULL,
        name TEXT NOT NULL,
        view TEXT NOT NULL,
        started_by TEXT NOT NULL,
        started_at TEXT NOT NULL,
        ended_at TEXT,
        reason TEXT,
        interruptions INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX recordings_conference ON recordings (conference);
    CREATE INDEX recordings_ended ON recordings (ended_at);
    CREATE TABLE recording_parts (
        recording TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('writing', 'complete', 'interrupted')),
        started_at TEXT NOT NULL,
        size INTEGER NOT NULL,
        duration_s REAL NOT NULL,
        sha256 TEXT,
        PRIMARY KEY (recording, number)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    -- Hardware rooms' devices that sign in only where MD5 alone is offered, by where they are.
    CREATE TABLE sip_old_devices (
        bridge TEXT NOT NULL REFERENCES bridges (id) ON DELETE CASCADE,
        source TEXT NOT NULL,
        PRIMARY KEY (bridge, source)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    -- What hardware rooms signed in with before: a device that was forgotten goes on trying it.
    CREATE TABLE sip_void_secrets (
        bridge TEXT NOT NULL REFERENCES bridges (id) ON DELETE CASCADE,
        realm TEXT NOT NULL,
        ha1_sha256 TEXT NOT NULL,
        ha1_md5 TEXT NOT NULL,
        voided_at TEXT NOT NULL,
        PRIMARY KEY (bridge, realm, ha1_sha256)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    -- Lists tell drills from meetings without reading every conference.
    ALTER TABLE conferences ADD COLUMN drill INTEGER NOT NULL DEFAULT 0;
    UPDATE conferences SET drill = 1
        WHERE CASE WHEN json_valid(snapshot) THEN json_extract(snapshot, '$.drill') END IS NOT NULL;
    UPDATE conferences SET drill = 1 WHERE id IN (
        SELECT conference FROM events WHERE type = 'conference.started'
        AND CASE WHEN json_valid(data) THEN json_extract(data, '$.drill') END
    );
    """,
)

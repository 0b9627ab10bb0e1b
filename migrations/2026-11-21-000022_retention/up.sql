-- An index for each condition under which old rows are deleted (src/platform/retention.rs and query/retention.rs).
CREATE INDEX refresh_tokens_used_at ON refresh_tokens (used_at) WHERE used_at IS NOT NULL;
CREATE INDEX inbox_received_at ON inbox (received_at);
CREATE INDEX players_seen_at ON players (seen_at);
CREATE INDEX team_invitations_expires_at ON team_invitations (expires_at);

-- An account's deletion removes its email address from the audit trail.
CREATE INDEX audit_entries_email ON audit_entries ((details ->> 'email')) WHERE details ? 'email';

-- One row: the node that pushes events to subscribers, until its lease ends.
CREATE TABLE event_pusher (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    node uuid NOT NULL,
    leased_until timestamptz NOT NULL
);
INSERT INTO event_pusher (node, leased_until) VALUES ('00000000-0000-0000-0000-000000000000', '-infinity');

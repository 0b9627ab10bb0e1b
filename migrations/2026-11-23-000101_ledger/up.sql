-- What part of the sales of a channel is its own, if that is not the default.
CREATE TABLE channel_shares (
    channel_id uuid PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    percent smallint NOT NULL CHECK (percent BETWEEN 0 AND 100)
);

-- Money that was paid out to channels. A channel that is deleted stays in the books.
CREATE TABLE payouts (
    id uuid PRIMARY KEY,
    channel_id uuid NOT NULL,
    -- The first day of the month that it is for.
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- What the bank calls it.
    reference text NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 200),
    recorded_by uuid NOT NULL REFERENCES users (id),
    recorded_at timestamptz NOT NULL,
    UNIQUE (channel_id, month, currency)
);
CREATE INDEX payouts_recorded_by ON payouts (recorded_by);

-- The books (double entry): what moves money is a transaction, once, whose entries have the sum zero in each currency.
-- Rows never change. A debit is positive, a credit negative.
CREATE TABLE ledger_transactions (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('PAYMENT', 'REFUND', 'REFUND_FAILED', 'DISPUTE', 'DISPUTE_CLOSED', 'PAYOUT')),
    -- The order, the refund, the dispute or the payout.
    source_id uuid NOT NULL,
    -- Null of a payout.
    order_id uuid REFERENCES orders (id),
    recorded_at timestamptz NOT NULL,
    UNIQUE (kind, source_id)
);
CREATE INDEX ledger_transactions_order_id ON ledger_transactions (order_id) WHERE order_id IS NOT NULL;
CREATE TABLE ledger_entries (
    id uuid PRIMARY KEY,
    transaction_id uuid NOT NULL REFERENCES ledger_transactions (id),
    -- CLEARING: what the providers owe the school; REVENUE: what the school earns; TAX: what it owes the state; SHARE: what it
    -- owes a channel; BANK: what left its bank account.
    account text NOT NULL CHECK (account IN ('CLEARING', 'REVENUE', 'TAX', 'SHARE', 'BANK')),
    -- The channel whose item was sold.
    channel_id uuid,
    item_id uuid REFERENCES order_items (id),
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    recorded_at timestamptz NOT NULL,
    CHECK (account <> 'SHARE' OR channel_id IS NOT NULL)
);
CREATE INDEX ledger_entries_transaction_id ON ledger_entries (transaction_id);
CREATE INDEX ledger_entries_item_id ON ledger_entries (item_id) WHERE item_id IS NOT NULL;
CREATE INDEX ledger_entries_of_channel ON ledger_entries (channel_id, recorded_at DESC, id DESC)
    WHERE channel_id IS NOT NULL;

CREATE FUNCTION ledger_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the rows of % never change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_transactions_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_never_changes();
CREATE TRIGGER ledger_entries_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_never_changes();

CREATE FUNCTION ledger_is_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM ledger_entries WHERE transaction_id = NEW.transaction_id GROUP BY currency HAVING sum(amount_minor) <> 0
    ) THEN
        RAISE EXCEPTION 'the ledger transaction % is not balanced', NEW.transaction_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_entries_are_balanced AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_is_balanced();

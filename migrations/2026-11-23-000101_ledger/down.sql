DROP TABLE ledger_entries;
DROP TABLE ledger_transactions;
DROP FUNCTION ledger_is_balanced();
DROP FUNCTION ledger_never_changes();
DROP TABLE payouts;
DROP TABLE channel_shares;

"""Paper as data: what stands on each kind of slip (config/receipts), filled with what the ledger says."""

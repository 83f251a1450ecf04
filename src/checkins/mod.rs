//! Checking in and out: the journal, the batch, the import.

//! What everything stands on: ids, time, clock, randomness, codes, the failure table.

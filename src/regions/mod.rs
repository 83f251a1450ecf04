//! Provinces and wards, keyed by (catalogue, code).

//! Keys, sealing and the audit log.

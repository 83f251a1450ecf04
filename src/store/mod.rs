//! The store: one SQL text on SQLite and PostgreSQL.

//! Accounts, roles, passwords, sessions and tokens.

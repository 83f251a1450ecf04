//! Cases (F0), rule sets and infectious windows.

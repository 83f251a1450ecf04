//! Who was there at the same time: lookups, exposures, exports.

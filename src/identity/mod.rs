//! Who a person is: phone numbers, names, ID numbers, pseudonyms.

//! Where objects go.

use std::io;

/// Keeps objects under keys, such as a bucket, or a directory.
pub trait ObjectStore: Send {
    /// Puts an object under a key, in place of one that is there. Nobody ever sees half of it: after an error there is
    /// either nothing under the key or what was there before.
    ///
    /// # Errors
    /// Where it cannot be put; the error says where.
    fn put(&mut self, key: &str, content: &[u8]) -> io::Result<()>;
}

impl<S: ObjectStore + ?Sized> ObjectStore for &mut S {
    fn put(&mut self, key: &str, content: &[u8]) -> io::Result<()> {
        (**self).put(key, content)
    }
}

/// A key that could lead somewhere else than into the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot be an object's key: expected names with `/` between them, none of them empty, `.` or `..`"
)]
pub struct KeyError(pub String);

/// Checks that a key is a plain path downwards, of printable characters.
///
/// # Errors
/// [`KeyError`] where it is not.
pub fn check_key(key: &str) -> Result<(), KeyError> {
    let is_name = |part: &str| {
        !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']) && !part.contains(char::is_control)
    };
    match key.split('/').all(is_name) {
        true => Ok(()),
        false => Err(KeyError(crate::record::shown(key))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_downwards() {
        for good in ["a", "AWSLogs/1/x.gz", "a=b/c", "…"] {
            assert_eq!(check_key(good), Ok(()));
        }
        for bad in ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.", "a\\..\\b", "a\nb", "a\0"] {
            assert!(check_key(bad).is_err(), "{bad:?}");
        }
    }
}

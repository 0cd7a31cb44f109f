//! Where an object is: `s3://bucket/key`.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// What an address begins with.
const SCHEME: &str = "s3://";
/// The most bytes of a key ([Amazon S3, object keys](https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html)).
const LONGEST_KEY: usize = 1024;
/// The most characters of a bucket's name, of those that were made before 2018 included.
const LONGEST_BUCKET: usize = 255;

/// The address of an object, of everything below a prefix, or of a whole bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectAddress {
    bucket: String,
    key: String,
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It does not begin with `s3://`.
    #[error("expected an address such as `s3://bucket/key`")]
    Scheme,
    /// No bucket, or one with characters that no bucket's name has.
    #[error("found the bucket `{}`, expected a bucket's name: letters, digits, `.`, `-` and `_`", .0.escape_debug())]
    Bucket(String),
    /// A key that cannot be asked for.
    #[error(
        "found a key with {0}, expected parts between single slashes, at most {LONGEST_KEY} bytes in all"
    )]
    Key(&'static str),
}

impl ObjectAddress {
    /// The address that a path on the command line is, if it is none of a file: it begins with `s3://`.
    ///
    /// # Errors
    /// As reading it from text.
    pub fn of_path(path: &Path) -> Option<Result<ObjectAddress, AddressError>> {
        let text = path.to_string_lossy();
        let scheme = text.get(..SCHEME.len())?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return None;
        }
        let is_text = path.to_str().is_some();
        Some(if is_text { text.parse() } else { Err(AddressError::Key("bytes that are no UTF-8")) })
    }

    /// An address in a bucket; the key may be empty, or end with a slash.
    ///
    /// # Errors
    /// A bucket or a key that cannot be.
    pub fn new(bucket: &str, key: &str) -> Result<ObjectAddress, AddressError> {
        let of_bucket = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let names_one = bucket.chars().any(|c| c.is_ascii_alphanumeric());
        if !names_one || bucket.len() > LONGEST_BUCKET || !bucket.chars().all(of_bucket) {
            return Err(AddressError::Bucket(bucket.chars().take(LONGEST_BUCKET).collect()));
        }
        check_key(key).map_err(AddressError::Key)?;
        Ok(ObjectAddress { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key: empty for the whole bucket, with a slash at its end for what is below it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it cannot be a single object's: the whole bucket, or what is below a prefix.
    pub fn is_prefix(&self) -> bool {
        self.key.is_empty() || self.key.ends_with('/')
    }

    /// Whether an object is below this address.
    pub fn is_above(&self, object: &ObjectAddress) -> bool {
        let below = || object.key.strip_prefix(&self.key);
        let is_below = self.is_prefix() || below().is_some_and(|rest| rest.starts_with('/'));
        self.bucket == object.bucket && is_below && object.key.starts_with(&self.key)
    }

    /// The address of `key` below this one.
    ///
    /// # Errors
    /// The keys together cannot be.
    pub fn below(&self, key: &str) -> Result<ObjectAddress, AddressError> {
        let separator = if self.is_prefix() { "" } else { "/" };
        ObjectAddress::new(&self.bucket, &format!("{}{separator}{key}", self.key))
    }
}

/// What is wrong with a key, if anything.
fn check_key(key: &str) -> Result<(), &'static str> {
    let parts = key.strip_suffix('/').unwrap_or(key);
    if key.len() > LONGEST_KEY {
        return Err("too many bytes");
    }
    if key.chars().any(char::is_control) {
        return Err("control characters");
    }
    if key.is_empty() {
        return Ok(());
    }
    for part in parts.split('/') {
        match part {
            "" => return Err("an empty part"),
            "." | ".." => return Err("a part `.` or `..`"),
            _ => {}
        }
    }
    Ok(())
}

impl FromStr for ObjectAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let scheme = text.get(..SCHEME.len()).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(AddressError::Scheme);
        }
        let rest = text.get(SCHEME.len()..).unwrap_or_default();
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        ObjectAddress::new(bucket, key)
    }
}

/// As it is read.
impl fmt::Display for ObjectAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_printed() {
        for (text, bucket, key, is_prefix) in [
            ("s3://b", "b", "", true),
            ("s3://b/", "b", "", true),
            ("S3://a.b-c_d/e", "a.b-c_d", "e", false),
            ("s3://b/year=2026/month=11/", "b", "year=2026/month=11/", true),
            ("s3://b/a b%20#?+é", "b", "a b%20#?+é", false),
        ] {
            let address: ObjectAddress = text.parse().unwrap();
            assert_eq!((address.bucket(), address.key(), address.is_prefix()), (bucket, key, is_prefix));
            assert_eq!(address.to_string().parse(), Ok(address));
        }
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused() {
        let long = format!("s3://b/{}", "x".repeat(1025));
        for text in [
            "",
            "s3:",
            "s3:/b/k",
            "http://b/k",
            "s3://",
            "s3:///k",
            "s3://-/k",
            "s3://b@c/k",
            "s3://b:1/k",
            "s3://b?/k",
            "s3://b//",
            "s3://b//k",
            "s3://b/a//k",
            "s3://b/../k",
            "s3://b/.",
            "s3://b/k\n",
            &long,
            "s3://bü/k",
        ] {
            assert!(text.parse::<ObjectAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_begins_like_an_address_is_one() {
        assert!(ObjectAddress::of_path(Path::new("./s3:/b")).is_none());
        assert!(ObjectAddress::of_path(Path::new("s3:")).is_none());
        assert!(ObjectAddress::of_path(Path::new("é://b/k")).is_none());
        assert!(ObjectAddress::of_path(Path::new("s3://b/k")).is_some_and(|read| read.is_ok()));
        assert!(ObjectAddress::of_path(Path::new("s3://")).is_some_and(|read| read.is_err()));
    }

    #[test]
    fn what_is_below_is_told_by_slashes() {
        for (above, object, is_above) in [
            ("s3://b", "s3://b/k", true),
            ("s3://b/a/", "s3://b/a/k", true),
            ("s3://b/a", "s3://b/a/k", true),
            ("s3://b/a", "s3://b/ab", false),
            ("s3://b/a", "s3://b/a", false),
            ("s3://b/a", "s3://c/a/k", false),
        ] {
            let [above, object] = [above, object].map(|text| text.parse::<ObjectAddress>().unwrap());
            assert_eq!(above.is_above(&object), is_above, "{above} {object}");
        }
    }

    #[test]
    fn keys_are_joined_with_one_slash() {
        for prefix in ["s3://b/a", "s3://b/a/"] {
            let below = prefix.parse::<ObjectAddress>().unwrap().below("k").unwrap();
            assert_eq!(below.to_string(), "s3://b/a/k");
        }
        let whole: ObjectAddress = "s3://b".parse().unwrap();
        assert_eq!(whole.below("k").unwrap().to_string(), "s3://b/k");
        assert!(whole.below("/k").is_err());
    }
}

//! What went wrong with an object, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io;

use super::AddressError;

/// Something that could not be done with an object.
#[derive(Debug)]
pub struct StoreError {
    address: String,
    action: &'static str,
    trouble: StoreTrouble,
}

impl StoreError {
    #[cfg(feature = "s3")]
    /// `action` is what cannot be done, such as `cannot be read`.
    pub(super) fn new(
        address: &super::ObjectAddress,
        action: &'static str,
        trouble: StoreTrouble,
    ) -> StoreError {
        StoreError { address: address.to_string(), action, trouble }
    }

    /// What went wrong.
    pub fn trouble(&self) -> &StoreTrouble {
        &self.trouble
    }

    /// The same without the object it happened to.
    pub fn into_trouble(self) -> StoreTrouble {
        self.trouble
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}: {}", self.address, self.action, self.trouble)
    }
}

impl Error for StoreError {}

/// What went wrong, without where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreTrouble {
    /// The program was built without the feature `s3`.
    #[error("this build has no S3")]
    NotBuilt,
    /// No address of an object.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A whole bucket or a prefix where one object is needed.
    #[error("names no object, expected a key that does not end with `/`")]
    NotAnObject,
    /// The bucket does not exist.
    #[error("the bucket `{0}` does not exist")]
    NoBucket(String),
    /// There is no object of this name, and none below it.
    #[error("there is no such object")]
    NoObject,
    /// Nothing is below the prefix.
    #[error("there is no object below it")]
    NothingBelow,
    /// The credentials do not allow it.
    #[error("access is denied ({0})")]
    AccessDenied(String),
    /// No credentials were found.
    #[error("no AWS credentials were found ({0})")]
    NoCredentials(String),
    /// The credentials are refused as such.
    #[error("the AWS credentials are refused ({0})")]
    BadCredentials(String),
    /// The bucket is in another region than the one asked.
    #[error("the bucket is in {}, not in `{asked}`", .told.as_ref().map_or("another region".to_owned(), |told| format!("the region `{told}`")))]
    Region {
        /// The region that was asked.
        asked: String,
        /// The region that the answer names.
        told: Option<String>,
    },
    /// The object is archived.
    #[error("the object is archived ({0})")]
    Archived(String),
    /// A key that cannot be asked for is among those below a prefix.
    #[error("a key below it cannot be used ({0})")]
    OddKey(String),
    /// The object is another one than when reading began.
    #[error("the object was changed while it was read")]
    Changed,
    /// The store is busy or failing, after retries.
    #[error("the store is too busy or fails, and every attempt was used up ({0})")]
    Busy(String),
    /// The store cannot be reached, or the connection fails again and again.
    #[error("the connection fails, and every attempt was used up ({0})")]
    Connection(String),
    /// The endpoint cannot be used.
    #[error("the endpoint cannot be used ({0})")]
    Endpoint(String),
    /// More parts than an upload may have.
    #[error("more than {0} bytes, which is the most that is written as one object")]
    TooLarge(u64),
    /// Writing went on after it had failed.
    #[error("writing failed before")]
    Failed,
    /// Anything else, in the store's words.
    #[error("{0}")]
    Other(String),
}

impl StoreTrouble {
    /// Advice for a person, without a full stop.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            StoreTrouble::NotBuilt => {
                "`cargo install flowtruth --features s3` builds one; or copy the objects with `aws s3 cp` first"
            }
            StoreTrouble::Address(_) => {
                "an address is `s3://BUCKET/KEY`; write `./s3:/…` for a local directory of that name"
            }
            StoreTrouble::NotAnObject => "name the object, such as `s3://bucket/flow.log.gz`",
            StoreTrouble::NoBucket(_) => {
                "`aws s3 ls` lists the buckets; with another store than Amazon's, `AWS_ENDPOINT_URL` says where it is"
            }
            StoreTrouble::NoObject | StoreTrouble::NothingBelow => {
                "`aws s3 ls` shows what is there; keys are told apart by letter case"
            }
            StoreTrouble::AccessDenied(_) => {
                "reading needs `s3:GetObject` and `s3:ListBucket`, writing `s3:PutObject` and \
                 `s3:AbortMultipartUpload`; `aws sts get-caller-identity` shows who asks"
            }
            StoreTrouble::NoCredentials(_) | StoreTrouble::BadCredentials(_) => {
                "set `AWS_PROFILE`, or `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`; \
                 `aws sts get-caller-identity` shows whether they work"
            }
            StoreTrouble::Region { told: Some(told), .. } => return Some(format!("set `AWS_REGION={told}`")),
            StoreTrouble::Region { told: None, .. } => {
                "`aws s3api get-bucket-location --bucket BUCKET` names its region; set `AWS_REGION` to it"
            }
            StoreTrouble::Archived(_) => "`aws s3api restore-object` makes it readable for some days",
            StoreTrouble::OddKey(_) => "name a longer prefix, or the objects one by one",
            StoreTrouble::Changed => "run it again once nobody writes the object any more",
            StoreTrouble::Busy(_) => {
                "run it again later; `AWS_MAX_ATTEMPTS` says how often a request is made"
            }
            StoreTrouble::Connection(_) | StoreTrouble::Endpoint(_) => {
                "look at `AWS_ENDPOINT_URL`, `AWS_REGION` and the proxy (`HTTPS_PROXY`)"
            }
            StoreTrouble::TooLarge(_) => "write it compressed, or in several objects",
            StoreTrouble::Failed | StoreTrouble::Other(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// The trouble behind an error of reading or writing, if it came from here.
    pub fn of(error: &io::Error) -> Option<&StoreTrouble> {
        let inner = error.get_ref()?;
        inner.downcast_ref().or_else(|| inner.downcast_ref().map(StoreError::trouble))
    }

    /// What to do about trouble with a store that is behind any error, by its causes.
    pub fn hint_behind(error: &(dyn Error + 'static)) -> Option<String> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(trouble) = error.downcast_ref::<io::Error>().and_then(StoreTrouble::of) {
                return trouble.hint();
            }
            cause = error.source();
        }
        None
    }
}

/// As an error of reading and writing that names the object and still tells its trouble.
impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> io::Error {
        io::Error::new(io::Error::from(error.trouble.clone()).kind(), error)
    }
}

/// As an error of reading and writing. Its kind is never that of a closed pipe.
impl From<StoreTrouble> for io::Error {
    fn from(trouble: StoreTrouble) -> io::Error {
        let kind = match trouble {
            StoreTrouble::NoBucket(_) | StoreTrouble::NoObject | StoreTrouble::NothingBelow => {
                io::ErrorKind::NotFound
            }
            StoreTrouble::AccessDenied(_) => io::ErrorKind::PermissionDenied,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, trouble)
    }
}

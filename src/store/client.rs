//! The connection to the store: where it is, who asks, and how often.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, fmt};

use aws_config::BehaviorVersion;
use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig};
use tokio::runtime::{Builder, Runtime};

use super::cause::trouble;
use super::credentials::Chain;
use super::{FoundObject, ObjectAddress, ObjectReader, ObjectWriter, StoreError, StoreTrouble};

/// The region that is asked where none is set, as the AWS CLI does.
const REGION: &str = "us-east-1";
/// How often a request is made at most, where `AWS_MAX_ATTEMPTS` does not say.
const ATTEMPTS: usize = 10;
/// How long it may take to connect.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long the store may stay silent, the time to send a part of an upload included.
const SILENCE: Duration = Duration::from_secs(120);

/// A store of objects that speaks as S3 does.
pub struct Store {
    pub(super) runtime: Runtime,
    pub(super) attempts: usize,
    region: String,
    endpoint: Option<String>,
    credentials: Arc<Chain>,
    buckets: Mutex<HashMap<String, Arc<AmazonS3>>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("region", &self.region).field("endpoint", &self.endpoint).finish()
    }
}

impl Store {
    /// The store that AWS's usual settings name: region and endpoint of the environment (`AWS_REGION`,
    /// `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`) or of the profile. Nothing is asked of the store yet.
    ///
    /// # Errors
    /// No thread can be started, or the endpoint is no URL.
    pub fn connect() -> Result<Arc<Store>, StoreTrouble> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("s3")
            .enable_all()
            .build()
            .map_err(|error| StoreTrouble::Other(format!("no thread can be started: {error}")))?;
        let config = runtime.block_on(aws_config::defaults(BehaviorVersion::latest()).load());
        let region = config.region().map_or(REGION.to_owned(), |region| region.as_ref().to_owned());
        let endpoint = endpoint(config.endpoint_url())?;
        let credentials = Arc::new(Chain::new(config.credentials_provider()));
        let asked = env::var("AWS_MAX_ATTEMPTS").ok().and_then(|attempts| attempts.parse().ok());
        let attempts = asked.filter(|&attempts| attempts > 0).unwrap_or(ATTEMPTS);
        let buckets = Mutex::default();
        Ok(Arc::new(Store { runtime, attempts, region, endpoint, credentials, buckets }))
    }

    /// The object of this address, or the objects below it in the order of their keys.
    ///
    /// Below is what a slash separates: `s3://b/cap` names the object `cap`, or else the objects `cap/…`, never `capture`.
    /// Objects are found at any depth.
    ///
    /// # Errors
    /// There are none, or the store does not answer or refuses to; see [`StoreTrouble`].
    pub fn find(&self, address: &ObjectAddress) -> Result<Vec<FoundObject>, StoreError> {
        let fail = |trouble| StoreError::new(address, "cannot be read", trouble);
        let bucket = self.bucket(address).map_err(fail)?;
        let path = path(address).map_err(fail)?;
        let mut refused = None;
        if !address.is_prefix() {
            match self.runtime.block_on(bucket.head(&path)) {
                Ok(found) => return Ok(vec![FoundObject { address: address.clone(), size: found.size }]),
                Err(object_store::Error::NotFound { .. }) => {}
                // the answer has no body and says little; that to the list will say more
                Err(error) => refused = Some(error),
            }
        }
        let listed: Result<Vec<ObjectMeta>, _> =
            self.runtime.block_on(bucket.list(Some(&path)).try_collect());
        let listed = listed.map_err(|error| fail(trouble(&error, address, &self.region)))?;
        if let Some(error) = refused {
            return Err(fail(trouble(&error, address, &self.region)));
        }
        let mut found = Vec::with_capacity(listed.len());
        for ObjectMeta { location, size, .. } in listed {
            let below = ObjectAddress::new(address.bucket(), location.as_ref());
            found.push(FoundObject { address: below.map_err(|error| fail(error.into()))?, size });
        }
        match found.is_empty() {
            true if address.is_prefix() => Err(fail(StoreTrouble::NothingBelow)),
            true => Err(fail(StoreTrouble::NoObject)),
            false => {
                found.sort_unstable();
                Ok(found)
            }
        }
    }

    /// Reads an object from a place on, in bytes from its start.
    ///
    /// # Errors
    /// There is none, or the store does not answer or refuses to; see [`StoreTrouble`].
    pub fn read(self: &Arc<Self>, address: &ObjectAddress, place: u64) -> Result<ObjectReader, StoreError> {
        ObjectReader::open(self, address, place)
            .map_err(|trouble| StoreError::new(address, "cannot be read", trouble))
    }

    /// Begins to write an object, which appears when it is finished.
    ///
    /// # Errors
    /// The address names no object, or the endpoint cannot be used. What the store says is known when writing.
    pub fn write(self: &Arc<Self>, address: &ObjectAddress) -> Result<ObjectWriter, StoreError> {
        ObjectWriter::begin(self, address)
            .map_err(|trouble| StoreError::new(address, "cannot be written", trouble))
    }

    /// Writes an object in one go. Small enough for one request, it is there as a whole or not at all.
    ///
    /// # Errors
    /// The address names no object, or the store does not answer or refuses it; see [`StoreTrouble`].
    pub fn put(self: &Arc<Self>, address: &ObjectAddress, content: &[u8]) -> Result<(), StoreError> {
        let mut writer = self.write(address)?;
        writer
            .write_all(content)
            .map_err(|error| StoreTrouble::of(&error).cloned().unwrap_or(StoreTrouble::Failed))
            .map_err(|trouble| StoreError::new(address, "cannot be written", trouble))?;
        writer.finish()
    }

    /// What an error of the store means.
    pub(super) fn trouble(&self, error: &object_store::Error, address: &ObjectAddress) -> StoreTrouble {
        trouble(error, address, &self.region)
    }

    /// The requests of a bucket.
    pub(super) fn bucket(&self, address: &ObjectAddress) -> Result<Arc<AmazonS3>, StoreTrouble> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(address.bucket()) {
            return Ok(Arc::clone(bucket));
        }
        let options = ClientOptions::new()
            .with_allow_http(self.endpoint.as_ref().is_some_and(|url| url.starts_with("http://")))
            .with_connect_timeout(CONNECTING)
            .with_read_timeout(SILENCE)
            // a large object takes as long as it takes
            .with_timeout_disabled();
        let retry = RetryConfig { max_retries: self.attempts - 1, ..RetryConfig::default() };
        let builder = AmazonS3Builder::new()
            .with_bucket_name(address.bucket())
            .with_region(&self.region)
            .with_credentials(Arc::clone(&self.credentials) as _)
            .with_client_options(options)
            .with_retry(retry);
        let builder = match &self.endpoint {
            Some(endpoint) => builder.with_endpoint(endpoint.clone()),
            // Amazon's stores in China have a domain of their own
            None if self.region.starts_with("cn-") => {
                builder.with_endpoint(format!("https://s3.{}.amazonaws.com.cn", self.region))
            }
            // the certificate covers no bucket with a dot in its name
            None => builder.with_virtual_hosted_style_request(!address.bucket().contains('.')),
        };
        let bucket = Arc::new(builder.build().map_err(|error| StoreTrouble::Endpoint(error.to_string()))?);
        buckets.insert(address.bucket().to_owned(), Arc::clone(&bucket));
        Ok(bucket)
    }
}

/// Where the store is, if it is not Amazon's: what the environment says, else the profile.
fn endpoint(of_profile: Option<&str>) -> Result<Option<String>, StoreTrouble> {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    if set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|ignored| ignored.eq_ignore_ascii_case("true"))
    {
        return Ok(None);
    }
    // `aws-config` passes over one that is no URL, and Amazon would be asked in its place
    let named = set("AWS_ENDPOINT_URL_S3").or_else(|| set("AWS_ENDPOINT_URL"));
    let Some(url) = named.or_else(|| of_profile.map(str::to_owned)) else { return Ok(None) };
    match url.starts_with("http://") || url.starts_with("https://") {
        true => Ok(Some(url)),
        false => Err(StoreTrouble::Endpoint(format!(
            "found `{}`, expected a URL such as `http://localhost:9000`",
            url.escape_debug()
        ))),
    }
}

/// The key as requests want it.
pub(super) fn path(address: &ObjectAddress) -> Result<Path, StoreTrouble> {
    Path::parse(address.key()).map_err(|error| StoreTrouble::Other(error.to_string()))
}

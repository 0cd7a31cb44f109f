//! Credentials by AWS's usual chain, in the shape that requests want them.
//!
//! The chain is `aws-config`'s: environment variables, profiles (static keys, roles, IAM Identity Center,
//! `credential_process`), web identity tokens, container credentials, and the metadata of the EC2 instance.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use tokio::sync::Mutex;

/// How long before they expire credentials are asked for anew.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// Credentials, kept until shortly before they expire.
pub(super) struct Chain {
    provider: Option<SharedCredentialsProvider>,
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    credential: Arc<AwsCredential>,
    until: Option<SystemTime>,
}

impl Chain {
    /// The credentials of this provider.
    pub(super) fn new(provider: Option<SharedCredentialsProvider>) -> Chain {
        Chain { provider, kept: Mutex::new(None) }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chain")
    }
}

/// The chain gave no credentials.
#[derive(Debug)]
pub(super) struct NoCredentials(pub(super) String);

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for NoCredentials {}

impl NoCredentials {
    fn because(error: Option<&CredentialsError>) -> object_store::Error {
        let reason = match error {
            None | Some(CredentialsError::CredentialsNotLoaded(_)) => {
                "neither in the environment nor in a profile, a container or an instance".to_owned()
            }
            Some(error) => innermost(error),
        };
        object_store::Error::Generic { store: "S3", source: Box::new(NoCredentials(reason)) }
    }
}

/// What the last of an error's causes says.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[async_trait::async_trait]
impl CredentialProvider for Chain {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut kept = self.kept.lock().await;
        if let Some(Kept { credential, until }) = &*kept
            && until.is_none_or(|until| SystemTime::now() + AHEAD < until)
        {
            return Ok(Arc::clone(credential));
        }
        let Some(provider) = &self.provider else { return Err(NoCredentials::because(None)) };
        let found =
            provider.provide_credentials().await.map_err(|error| NoCredentials::because(Some(&error)))?;
        let credential = Arc::new(AwsCredential {
            key_id: found.access_key_id().to_owned(),
            secret_key: found.secret_access_key().to_owned(),
            token: found.session_token().map(str::to_owned),
        });
        *kept = Some(Kept { credential: Arc::clone(&credential), until: found.expiry() });
        Ok(credential)
    }
}

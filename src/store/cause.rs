//! What an error of a request means: told by the store's error code, or by the connection's own words.

use std::error::Error;

use object_store::client::HttpError;

use super::credentials::{NoCredentials, innermost};
use super::{ObjectAddress, StoreTrouble};

/// The most characters of the store's own words that are shown.
const LONGEST: usize = 300;

/// What an error means that came of asking for something in a region.
pub(super) fn trouble(error: &object_store::Error, address: &ObjectAddress, region: &str) -> StoreTrouble {
    if let Some(NoCredentials(reason)) = behind(error) {
        return StoreTrouble::NoCredentials(cut(reason));
    }
    let text = error.to_string();
    let in_region = |told| StoreTrouble::Region { asked: region.to_owned(), told };
    if let Some(code) = element(&text, "Code") {
        let message = element(&text, "Message").unwrap_or_default();
        let said = cut(&format!("{code}: {message}"));
        return match code {
            "NoSuchBucket" => StoreTrouble::NoBucket(address.bucket().to_owned()),
            "NoSuchKey" | "NoSuchVersion" => StoreTrouble::NoObject,
            "AccessDenied" | "AllAccessDisabled" | "AccountProblem" | "MethodNotAllowed" => {
                StoreTrouble::AccessDenied(said)
            }
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "InvalidToken"
            | "TokenRefreshRequired"
            | "NotSignedUp"
            | "RequestTimeTooSkewed" => StoreTrouble::BadCredentials(said),
            "PermanentRedirect"
            | "TemporaryRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException" => in_region(element(&text, "Region").map(cut)),
            "PreconditionFailed" => StoreTrouble::Changed,
            "InvalidObjectState" => StoreTrouble::Archived(said),
            "SlowDown"
            | "ServiceUnavailable"
            | "InternalError"
            | "RequestTimeout"
            | "503 SlowDown"
            | "Throttling"
            | "ThrottlingException"
            | "RequestLimitExceeded" => StoreTrouble::Busy(said),
            _ => StoreTrouble::Other(said),
        };
    }
    match error {
        object_store::Error::NotFound { .. } => StoreTrouble::NoObject,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            StoreTrouble::AccessDenied("without a reason".to_owned())
        }
        object_store::Error::Precondition { .. } => StoreTrouble::Changed,
        object_store::Error::InvalidPath { .. } => StoreTrouble::OddKey(cut(&innermost(error))),
        _ if text.contains("Received redirect") => in_region(None),
        _ => match text.split_once("non-2xx status code: ") {
            Some((_, status)) if status.starts_with('5') || status.starts_with("429") => {
                StoreTrouble::Busy(cut(status.trim_end_matches([':', ' '])))
            }
            Some((_, status)) => {
                StoreTrouble::Other(format!("the store answers {}", cut(status.trim_end_matches([':', ' ']))))
            }
            None if behind::<HttpError>(error).is_some() => StoreTrouble::Connection(cut(&innermost(error))),
            None => {
                StoreTrouble::Other(format!("the store's answer makes no sense ({})", cut(&innermost(error))))
            }
        },
    }
}

/// The first error of this type among an error and its causes.
fn behind<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut cause = Some(error);
    while let Some(found) = cause {
        if let Some(wanted) = found.downcast_ref() {
            return Some(wanted);
        }
        cause = found.source();
    }
    None
}

/// The text of the first XML element of this name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    Some(value.trim())
}

/// A text from outside, not too long and on one line.
fn cut(text: &str) -> String {
    let text = text.trim().trim_end_matches([':', ' ', '.']);
    let short: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> StoreTrouble {
        let error = object_store::Error::Generic { store: "S3", source: text.into() };
        trouble(&error, &"s3://b/k".parse().unwrap(), "us-east-1")
    }

    #[test]
    fn the_code_decides() {
        let answer =
            |code: &str| said(&format!("x <Error><Code>{code}</Code><Message>so.</Message></Error>"));
        assert_eq!(answer("NoSuchBucket"), StoreTrouble::NoBucket("b".to_owned()));
        assert_eq!(answer("NoSuchKey"), StoreTrouble::NoObject);
        assert_eq!(answer("AccessDenied"), StoreTrouble::AccessDenied("AccessDenied: so".to_owned()));
        assert_eq!(answer("SlowDown"), StoreTrouble::Busy("SlowDown: so".to_owned()));
        assert_eq!(answer("Strange"), StoreTrouble::Other("Strange: so".to_owned()));
        let region = said("<Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region>");
        let expected =
            StoreTrouble::Region { asked: "us-east-1".to_owned(), told: Some("eu-west-1".to_owned()) };
        assert_eq!(region, expected);
        assert_eq!(region.hint().as_deref(), Some("set `AWS_REGION=eu-west-1`"));
    }

    #[test]
    fn without_a_code_status_and_connection_do() {
        let status = "Server returned non-2xx status code: 503 Service Unavailable: ";
        assert_eq!(said(status), StoreTrouble::Busy("503 Service Unavailable".to_owned()));
        assert_eq!(said("strange").to_string(), "the store's answer makes no sense (strange)");
        let bare = said("Received redirect without LOCATION");
        assert_eq!(bare, StoreTrouble::Region { asked: "us-east-1".to_owned(), told: None });
        let long = said(&"\u{1b}é".repeat(1000));
        assert!(long.to_string().chars().count() < 400 && !long.to_string().contains('\u{1b}'));
    }
}

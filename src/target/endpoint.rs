//! What a person may write for an address.

use std::{fmt, path::PathBuf, str::FromStr};

/// Where a target listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `http://HOST:PORT`
    Http(String),
    Unix(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected http://HOST:PORT or unix:/PATH")]
pub struct EndpointError;

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() {
                Err(EndpointError)
            } else {
                Ok(Self::Unix(path.into()))
            };
        }
        let url = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let uri: tonic::transport::Uri = url.parse().map_err(|_| EndpointError)?;
        let plain = uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/");
        match (uri.host(), uri.port_u16()) {
            (Some(host), Some(_)) if plain && !host.is_empty() => Ok(Self::Http(url)),
            _ => Err(EndpointError),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) => f.write_str(url),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_people_write() {
        let http = |url: &str| Ok(Endpoint::Http(url.to_owned()));
        assert_eq!(
            "http://127.0.0.1:6669".parse(),
            http("http://127.0.0.1:6669")
        );
        assert_eq!("localhost:6669".parse(), http("http://localhost:6669"));
        assert_eq!("[::1]:6669".parse(), http("http://[::1]:6669"));
        assert_eq!("unix:/tmp/s".parse(), Ok(Endpoint::Unix("/tmp/s".into())));
        assert_eq!("unix:///tmp/s".parse(), Ok(Endpoint::Unix("/tmp/s".into())));
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "unix:",
            "6669",
            "http://host",
            "https://host:1",
            "ftp://host:1",
            "http://host:1/path",
            "host:99999",
            "a b:1",
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(EndpointError), "{text:?}");
        }
    }
}

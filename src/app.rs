use std::time::Duration;
use crate::{error::Error, frame::Target, model::Model, target::Source};
#[derive(Clone, Debug)]
pub struct Options { pub view: crate::term::Capabilities, pub limit: Option<Duration> }
pub async fn run(_t: &Target, o: &Options, _s: impl AsyncFn() -> Result<Source, Error>) -> Result<(Model, bool), Error> {
    let _ = o; Err(Error::Terminal(std::io::Error::other("not yet")))
}
pub async fn limit(limit: Option<Duration>) {
    match limit { Some(limit) => tokio::time::sleep(limit).await, None => std::future::pending().await }
}

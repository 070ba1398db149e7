//! A source that only connects.

use super::{
    Source,
    connect::{ConnectError, Connection, End},
    endpoint::Endpoint,
};
use crate::frame::{Event, Frame, Gap};

/// Attaches to a program that runs already. An error if it does not answer; what happens
/// later is a frame.
pub async fn attach(endpoint: &Endpoint) -> Result<Source, ConnectError> {
    let connection = Connection::open(endpoint).await?;
    Ok(Source::start(|frames, mut orders| async move {
        let mut running = orders.clone();
        let end = tokio::select! {
            end = connection.run(&frames, &mut running) => end,
            () = orders.stopped() => End::Unread,
        };
        let reason = match end {
            End::Lost(reason) => reason,
            End::Finished => "the run is over".to_owned(),
            End::Unread => return,
        };
        let _ = frames
            .send(Frame::here(Event::Gap(Gap::ConnectionLost { reason })))
            .await;
    }))
}

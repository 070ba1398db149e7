//! The console protocol's service, whose updates are written by loopview's codec: they are
//! most of what is sent, and console-api's own server would take three times as long.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use console_api::instrument::{
    InstrumentRequest, Update,
    instrument_server::{Instrument, InstrumentServer},
};
use loopview_api::Codec;
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::{BoxFuture, Service, http},
    server::{Grpc, NamedService, ServerStreamingService},
};

const UPDATES: &str = "/rs.tokio.console.instrument.Instrument/WatchUpdates";

pub(super) struct ConsoleServer<I> {
    service: Arc<I>,
    /// Of all methods but [`UPDATES`].
    rest: InstrumentServer<I>,
}

impl<I> ConsoleServer<I> {
    pub(super) fn new(service: I) -> Self {
        let service = Arc::new(service);
        Self {
            rest: InstrumentServer::from_arc(Arc::clone(&service)),
            service,
        }
    }
}

impl<I> Clone for ConsoleServer<I> {
    fn clone(&self) -> Self {
        Self {
            service: Arc::clone(&self.service),
            rest: self.rest.clone(),
        }
    }
}

impl<I> NamedService for ConsoleServer<I> {
    const NAME: &'static str = InstrumentServer::<I>::NAME;
}

impl<I: Instrument> Service<http::Request<Body>> for ConsoleServer<I> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != UPDATES {
            return self.rest.call(request);
        }
        let updates = Updates(Arc::clone(&self.service));
        Box::pin(async {
            let mut grpc = Grpc::new(Codec::default());
            Ok(grpc.server_streaming(updates, request).await)
        })
    }
}

struct Updates<I>(Arc<I>);

impl<I: Instrument> ServerStreamingService<InstrumentRequest> for Updates<I> {
    type Response = Update;
    type ResponseStream = I::WatchUpdatesStream;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<InstrumentRequest>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move { service.watch_updates(request).await })
    }
}

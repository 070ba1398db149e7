//! The console protocol's service, whose updates are sent as they are written: they are most
//! of what is sent, and to make console-api's messages of them takes several times as long.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use console_api::instrument::{
    InstrumentRequest, Update,
    instrument_server::{Instrument, InstrumentServer},
};
use prost::bytes::{BufMut, Bytes};
use tokio_stream::Stream;
use tonic::{
    Request, Response, Status,
    body::Body,
    codec::{Codec, EncodeBuf, Encoder},
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

impl<I: Instrument + WrittenUpdates> Service<http::Request<Body>> for ConsoleServer<I> {
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
            let mut grpc = Grpc::new(AsWritten);
            Ok(grpc.server_streaming(updates, request).await)
        })
    }
}

/// What a service has beside that protocol's methods.
pub(super) trait WrittenUpdates {
    type Stream: Stream<Item = Result<Bytes, Status>> + Send + 'static;

    fn watch(&self, request: &Request<InstrumentRequest>) -> Result<Self::Stream, Status>;
}

struct Updates<I>(Arc<I>);

impl<I: WrittenUpdates> ServerStreamingService<InstrumentRequest> for Updates<I> {
    type Response = Bytes;
    type ResponseStream = I::Stream;
    type Future = Ready<Result<Response<I::Stream>, Status>>;

    fn call(&mut self, request: Request<InstrumentRequest>) -> Self::Future {
        ready(self.0.watch(&request).map(Response::new))
    }
}

/// Sends updates as they are.
#[derive(Debug)]
struct AsWritten;

type Requests = loopview_api::Codec<Update, InstrumentRequest>;

impl Codec for AsWritten {
    type Encode = Bytes;
    type Decode = InstrumentRequest;
    type Encoder = Self;
    type Decoder = <Requests as Codec>::Decoder;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self::Decoder {
        Requests::default().decoder()
    }
}

impl Encoder for AsWritten {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, update: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(update.len());
        buffer.put(update);
        Ok(())
    }
}

//! A stream of messages, each weighed before it is decoded: a generated client decodes whatever
//! comes.

use std::marker::PhantomData;

use prost::{Message, bytes::Buf};
use tonic::{
    Code, Request, Status, Streaming,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};
use tonic_prost::ProstEncoder;

use crate::decode::{self, Weighed, decode};

/// A first snapshot holds all that the target retains: gRPC's usual 4 MiB is too little.
const MAX_MESSAGE: usize = 256 * 1024 * 1024;

/// Asks for the messages of a method, by its path.
pub(super) async fn open<Q, M>(
    channel: &Channel,
    path: &'static str,
    request: Q,
) -> Result<Streaming<M>, Status>
where
    Q: Message + 'static,
    M: Weighed + Send + 'static,
{
    let mut client = Grpc::new(channel.clone()).max_decoding_message_size(MAX_MESSAGE);
    let ready = client.ready().await;
    ready.map_err(|error| Status::unknown(error.to_string()))?;
    let path = PathAndQuery::from_static(path);
    let request = Request::new(request);
    let answer = client.server_streaming(request, path, Weighing(PhantomData));
    Ok(answer.await?.into_inner())
}

/// Encodes as any other.
struct Weighing<Q, M>(PhantomData<(Q, M)>);

impl<Q, M> Codec for Weighing<Q, M>
where
    Q: Message + 'static,
    M: Weighed + Send + 'static,
{
    type Encode = Q;
    type Decode = M;
    type Encoder = ProstEncoder<Q>;
    type Decoder = Scale<M>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        Scale(PhantomData)
    }
}

struct Scale<M>(PhantomData<M>);

impl<M: Weighed> Decoder for Scale<M> {
    type Item = M;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<M>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(decode(&bytes)?))
    }
}

/// What gRPC says where there is no message.
impl From<decode::Error> for Status {
    fn from(error: decode::Error) -> Self {
        let code = match error {
            decode::Error::TooMuch(_) => Code::ResourceExhausted,
            decode::Error::Cut | decode::Error::Malformed(_) => Code::Internal,
        };
        Self::new(code, error.to_string())
    }
}

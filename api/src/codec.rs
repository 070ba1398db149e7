//! How messages are written for the wire: each as a whole first.
//!
//! prost writes byte by byte, and gRPC's buffer looks for room at each of them. A vector that
//! has room for all of a message takes a third of the time, the copy included.

use std::marker::PhantomData;

use prost::{Message, bytes::BufMut};
use tonic::{
    Status,
    codec::{Codec as TonicCodec, EncodeBuf, Encoder as TonicEncoder},
};
use tonic_prost::ProstDecoder;

/// `application/grpc+proto`, as `tonic_prost::ProstCodec`, byte for byte.
#[derive(Debug)]
pub struct Codec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> TonicCodec for Codec<T, U>
where
    T: Message + 'static,
    U: Message + Default + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = Encoder<T>;
    type Decoder = ProstDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        Encoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::default()
    }
}

/// Writes a message as a whole.
#[derive(Debug)]
pub struct Encoder<T>(PhantomData<T>);

impl<T: Message> TonicEncoder for Encoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, message: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        let whole = message.encode_to_vec();
        buffer.reserve(whole.len());
        buffer.put_slice(&whole);
        Ok(())
    }
}

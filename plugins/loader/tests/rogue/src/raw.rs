//! The bytes of the next answer, which a whim chooses and `edge` sends in place of the SDK's.

use std::sync::Mutex;

/// A head and a body.
type Bytes = (Vec<u8>, Vec<u8>);

static NEXT: Mutex<Bytes> = Mutex::new((Vec::new(), Vec::new()));

/// Sets the head and the body of the next answer.
pub(crate) fn set(head: Vec<u8>, body: Vec<u8>) {
    *NEXT.lock().expect("no panic in here") = (head, body);
}

/// The head and the body that were set last.
pub(crate) fn take() -> Bytes {
    std::mem::take(&mut *NEXT.lock().expect("no panic in here"))
}

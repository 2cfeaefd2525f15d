//! The driver with drivers that it starts (`here`) and with a remote end that misbehaves (`there`).

mod here;
mod there;

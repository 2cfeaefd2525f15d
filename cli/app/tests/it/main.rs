//! Tests settings with the program itself: what is refused, what is kept secret, which layer overrides which.

mod desk;
mod doctor;
mod driver_check;
mod layers;
mod manual;
mod mistakes;
mod secrets;
mod table;
mod terminal;

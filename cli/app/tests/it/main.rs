//! The settings of the program, tried with the program itself: what is refused, what is kept secret, which layer wins.

mod desk;
mod doctor;
mod layers;
mod manual;
mod mistakes;
mod secrets;
mod table;

//! The main job as a program: equality with the truth, rounds, crashes, and mistakes.

mod crash;
mod equality;
mod mistakes;
mod rounds;
mod world;

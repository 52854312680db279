mod actions;
mod cancel;
mod hooks;
mod kill;
mod roles;
mod run;
mod sample;

//! How records are delivered: what was typed ([`args`]), what it means ([`settings`]), and where they go
//! ([`destination`]).

pub mod args;
pub mod destination;
pub mod settings;

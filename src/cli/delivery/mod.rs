//! How records are delivered: what was typed ([`args`]), what it means ([`settings`]), and where they go
//! ([`destination`]); and flow logs that are delivered anew ([`logs`]).

pub mod args;
pub mod destination;
pub mod logs;
pub mod settings;

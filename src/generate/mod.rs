//! Known traffic: captures and flow logs whose truth is known before they exist.
//!
//! ```text
//!  TOML ─ read ─► Scenario ─ run ─┬─► frames   as a capture point shows them
//!                                 ├─► records  as AWS delivers them
//!                                 └─► truth    of every flow: what was sent, and what was captured
//! ```
//!
//! 1. [`Scenario::read`] understands the words: who talks to whom, how often, and what becomes of it.
//! 2. [`run`] has the conversations said in the order of time (`speech`), each copy with random numbers of its own.
//! 3. What a message counts follows from its sizes (`message`) and is added up for each flow (`truth`) and for each
//!    window of each interface (`windows`, `delivery`).
//! 4. Beside it, and used by nothing of the above, the message becomes a frame (`frame`), which the capture point may
//!    miss, lose or cut (`tap`).
//!
//! Always true: no count comes from a frame, and no verdict from a rule; the scenario says of each conversation where it
//! is rejected. So what converts the capture is held against something that was reached another way.
//!
//! No I/O: whoever runs it takes what it [yields](Yield).

pub mod adversarial;
mod conversation;
mod delivery;
mod error;
mod extent;
mod frame;
mod message;
mod network;
mod path;
mod payload;
mod read;
mod ready;
mod run;
mod scenario;
mod sockets;
mod speech;
mod tap;
mod truth;
mod windows;

pub use delivery::RecordContext;
pub use error::{GenerateError, ScenarioError};
pub use extent::Extent;
pub use network::{Host, Interface, Network};
pub use read::locate;
pub use ready::{READY, ReadyScenario};
pub use run::{Outcome, Yield, run};
pub use scenario::{
    CapturePoint, Crossing, Delivery, Ending, Endpoint, Expected, Handshake, Middle, Mirror, Placement,
    Scenario, Seat, Skipped, Speech, Template,
};
pub use truth::{Observed, Truth};

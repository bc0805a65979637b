//! The kernels of the WebAssembly backend, and the interpreter that runs programs of them.
//!
//! TypeScript owns the memory: it places weights, buffers and programs there and hands over addresses. So every kernel
//! takes raw pointers, under one contract (see `program`): the encoder that wrote the program has sized each of them.
//! Numbers that come from data (token ids, slots, starts) are held within bounds by the kernels themselves.
//!
//! On other targets the crate is an ordinary library: `cargo test` runs the kernels' logic natively.

#![cfg_attr(target_arch = "wasm32", no_std)]
// The contract is stated once, in `program`, and holds for every kernel.
#![allow(clippy::missing_safety_doc)]
// A kernel's arguments are the operands of its instruction.
#![allow(clippy::too_many_arguments)]

pub mod axes;
pub mod kernels;
pub mod math;
pub mod program;
pub mod sequences;
pub mod simd;

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

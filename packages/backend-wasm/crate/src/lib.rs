//! The kernels of the WebAssembly backend, and the interpreter that runs programs of them.
//!
//! TypeScript owns the memory: it places weights, buffers and programs there and hands over addresses. So every kernel
//! takes raw pointers, under one contract (see `program`): the encoder that wrote the program has sized each of them.
//! Numbers that come from data (token ids, slots, starts) are held within bounds by the kernels themselves.
//!
//! One source makes several binaries (`build.ts`): with threads (feature `threads`), with relaxed SIMD (`relaxed`), with
//! 64-bit addresses (target wasm64). On other targets the crate is an ordinary library: `cargo test` runs the kernels'
//! logic natively.

#![cfg_attr(target_family = "wasm", no_std)]
#![cfg_attr(feature = "threads", feature(stdarch_wasm_atomic_wait))]
#![cfg_attr(target_arch = "wasm64", feature(simd_wasm64))]
// The contract is stated once, in `program`, and holds for every kernel.
#![allow(clippy::missing_safety_doc)]
// A kernel's arguments are the operands of its instruction.
#![allow(clippy::too_many_arguments)]

pub mod axes;
pub mod chunk7;
pub mod fused;
pub mod gemm;
pub mod half;
pub mod kernels;
pub mod math;
pub mod matrices;
pub mod packed;
pub mod program;
pub mod rows;
pub mod sequences;
pub mod simd;
pub mod team;
pub mod tiles;

#[cfg(target_arch = "wasm32")]
pub(crate) use core::arch::wasm32 as arch;
#[cfg(target_arch = "wasm64")]
pub(crate) use core::arch::wasm64 as arch;

#[cfg(target_family = "wasm")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    arch::unreachable()
}

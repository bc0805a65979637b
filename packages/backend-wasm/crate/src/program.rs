//! Programs: what the plan of a graph becomes, and how it runs.
//!
//! A program is a list of instructions over a table of registers, both u32 words in memory:
//!
//! ```text
//! code:      [number of instructions, (opcode, register, register, …), (opcode, …), …]
//! registers: [word, word, …]    addresses, sizes, or the bits of an f32
//! ```
//!
//! Every operand is the number of a register, so one program serves all sizes and all bound buffers: what differs from
//! run to run is written to the registers before it. A loop of steps is described by
//!
//! ```text
//! plan: [steps, carries, (from, to, elements), …, strides, (register, bytes), …]
//! ```
//!
//! Between two steps the carries are copied (all three are registers), and each register of the strides grows by bytes.
//!
//! The contract of every kernel: its pointers are aligned to 4 bytes and have room for the shapes its comment gives;
//! memory that is written overlaps nothing else, except where the comment says so. The encoder sees to it.

use crate::kernels;
use core::ptr::copy;

/// What a register's word stands for is the kernel's word: an address, a size, a float.
trait Operand {
    fn from_word(word: u32) -> Self;
}

impl Operand for usize {
    fn from_word(word: u32) -> usize {
        word as usize
    }
}

impl Operand for u32 {
    fn from_word(word: u32) -> u32 {
        word
    }
}

impl Operand for f32 {
    fn from_word(word: u32) -> f32 {
        f32::from_bits(word)
    }
}

impl<T> Operand for *const T {
    fn from_word(word: u32) -> *const T {
        word as usize as *const T
    }
}

impl<T> Operand for *mut T {
    fn from_word(word: u32) -> *mut T {
        word as usize as *mut T
    }
}

/// Reads operand after operand of an instruction.
struct Cursor {
    at: *const u32,
    registers: *const u32,
}

impl Cursor {
    unsafe fn next(&mut self) -> u32 {
        let register = *self.at;
        self.at = self.at.add(1);
        register
    }

    unsafe fn operand<T: Operand>(&mut self) -> T {
        let register = self.next();
        T::from_word(*self.registers.add(register as usize))
    }
}

/// Names each instruction, its operands, and the kernel that takes them in that order. The opcodes are counted from 0.
macro_rules! instructions {
    ($($name:ident($($operand:ident)*) => $kernel:path;)*) => {
        /// `name operand operand …` of each instruction, one a line: the build makes the encoder's table of it.
        static TABLE: &str = concat!($(stringify!($name), $(" ", stringify!($operand),)* "\n"),*);

        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy)]
        enum Opcode { $($name),* }

        const OPCODES: &[Opcode] = &[$(Opcode::$name),*];

        unsafe fn execute(opcode: Opcode, cursor: &mut Cursor) {
            match opcode {
                $(Opcode::$name => $kernel($({
                    const _: &str = stringify!($operand);
                    cursor.operand()
                }),*),)*
            }
        }
    };
}

instructions! {
    copy_words(from to count) => copy_words;
    full(value y count) => kernels::full::full;
    unary(function x y count) => kernels::unary::unary;
    binary(function a b y axes) => kernels::binary::binary;
    compare(function a b y axes) => kernels::compare::compare;
    compare_whole(function a b y axes) => kernels::compare::compare_whole;
    select(condition a b y axes) => kernels::select::select;
    cast_to_whole(x y count) => kernels::cast::cast_to_whole;
    cast_to_float(x y count) => kernels::cast::cast_to_float;
    reduce(function x y kept folded) => kernels::reduce::reduce;
    transpose(x y axes) => kernels::transpose::transpose;
    slice(x y rows pitch offset width) => kernels::slice::slice;
    concat(a b y rows a_width b_width) => kernels::concat::concat;
    broadcast(x y axes) => kernels::broadcast::broadcast;
    gather(table ids y count rows width) => kernels::gather::gather;
    scatter_add(ids x y count rows width) => kernels::scatter_add::scatter_add;
    linear(x w y rows inner outer) => kernels::linear::linear;
    linear_transposed(x w y rows inner outer) => kernels::linear::linear_transposed;
    matmul(a b y batch m k n transpose_a transpose_b) => kernels::matmul::matmul;
    softmax(x y rows width) => kernels::softmax::softmax;
    layer_norm(x w b y rows width eps) => kernels::layer_norm::layer_norm;
    group_norm(x w b y rows groups width eps) => kernels::group_norm::group_norm;
    l2_norm(x y rows width eps) => kernels::l2_norm::l2_norm;
    token_shift(x prev starts slots y last tokens sequences width pool_rows) => kernels::token_shift::token_shift;
    token_shift_grad(starts gy glast gx gprev tokens sequences width) => kernels::token_shift_grad::token_shift_grad;
    wkv4(w u k v aa0 bb0 pp0 starts slots y aa bb pp tokens sequences width pool_rows) => kernels::wkv4::wkv4;
    wkv4_grad(
        w u k v aa0 bb0 pp0 starts gy gaa gbb gpp gw gu gk gv gaa0 gbb0 gpp0 scratch tokens sequences width
    ) => kernels::wkv4_grad::wkv4_grad;
    wkv6(
        r lw k v u s0 starts slots y s scratch tokens sequences heads size pool_rows per_token
    ) => kernels::wkv6::wkv6;
    wkv6_grad(
        r lw k v u s0 starts gy gs gr glw gk gv gu gs0 scratch tokens sequences heads size per_token
    ) => kernels::wkv6_grad::wkv6_grad;
    wkv7(
        r lw k v a b s0 starts slots y s scratch tokens sequences heads size pool_rows
    ) => kernels::wkv7::wkv7;
    wkv7_grad(
        r lw k v a b s0 starts gy gs gr glw gk gv ga gb gs0 scratch tokens sequences heads size
    ) => kernels::wkv7_grad::wkv7_grad;
    state_read(pool slots y count rows width) => kernels::state_read::state_read;
    state_write(pool slots value count rows width) => kernels::state_write::state_write;
    cross_entropy(logits targets y rows width) => kernels::cross_entropy::cross_entropy;
    cross_entropy_grad(logits targets gy glogits rows width) => kernels::cross_entropy_grad::cross_entropy_grad;
    argmax(x y rows width) => kernels::argmax::argmax;
    sample(logits parameters counts u token counts_after scratch rows width) => kernels::sample::sample;
}

/// from, to: [count] of f32 or i32, possibly one memory
unsafe fn copy_words(from: *const u32, to: *mut u32, count: usize) {
    copy(from, to, count);
}

unsafe fn run_step(code: *const u32, registers: *const u32) {
    let mut cursor = Cursor { at: code.add(1), registers };
    for _ in 0..*code {
        let opcode = OPCODES[cursor.next() as usize];
        execute(opcode, &mut cursor);
    }
}

/// Runs all steps of a loop. See the head of this file for the layout of the three tables.
#[no_mangle]
pub unsafe extern "C" fn run(code: *const u32, registers: *mut u32, plan: *const u32) {
    let steps = *plan;
    let carries = plan.add(1);
    let strides = carries.add(1 + 3 * *carries as usize);
    for step in 0..steps {
        run_step(code, registers);
        if step + 1 == steps {
            return;
        }
        let mut cursor = Cursor { at: carries.add(1), registers };
        for _ in 0..*carries {
            copy_words(cursor.operand(), cursor.operand(), cursor.operand());
        }
        for i in 0..*strides as usize {
            let stride = strides.add(1 + 2 * i);
            let register = registers.add(*stride as usize);
            *register = (*register).wrapping_add(*stride.add(1));
        }
    }
}

/// Where the table of instructions lies, for the build.
#[no_mangle]
pub extern "C" fn instructions() -> *const u8 {
    TABLE.as_ptr()
}

#[no_mangle]
pub extern "C" fn instructions_length() -> usize {
    TABLE.len()
}

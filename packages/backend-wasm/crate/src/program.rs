//! Programs: what the plan of a graph becomes, and how it runs.
//!
//! A program is a list of instructions over a table of registers, all of them words of 64 bits in memory:
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
//! The contract of every kernel: its pointers are aligned to 4 bytes (packed weights and tables to their own numbers)
//! and have room for the shapes its comment gives; memory that is written overlaps nothing else, except where the comment
//! says so; scratch is there for each thread of the team. The encoder sees to it.

use crate::kernels;
use crate::packed;
use crate::team::{Control, Team, Turns};
use core::ptr::copy;

/// What a register's word stands for is the kernel's word: an address, a size, a float.
trait Operand {
    fn from_word(word: u64) -> Self;
}

impl Operand for usize {
    fn from_word(word: u64) -> usize {
        word as usize
    }
}

impl Operand for u32 {
    fn from_word(word: u64) -> u32 {
        word as u32
    }
}

impl Operand for f32 {
    fn from_word(word: u64) -> f32 {
        f32::from_bits(word as u32)
    }
}

impl<T> Operand for *const T {
    fn from_word(word: u64) -> *const T {
        word as usize as *const T
    }
}

impl<T> Operand for *mut T {
    fn from_word(word: u64) -> *mut T {
        word as usize as *mut T
    }
}

/// Reads operand after operand of an instruction.
struct Cursor {
    at: *const u64,
    registers: *const u64,
}

impl Cursor {
    unsafe fn next(&mut self) -> usize {
        let word = *self.at;
        self.at = self.at.add(1);
        word as usize
    }

    unsafe fn operand<T: Operand>(&mut self) -> T {
        let register = self.next();
        T::from_word(*self.registers.add(register))
    }

    /// How much work the coming instruction is: the product of the operands at these places.
    unsafe fn work(&self, places: &[usize]) -> usize {
        places.iter().fold(1, |work, &place| {
            let size = *self.registers.add(*self.at.add(place) as usize) as usize;
            work.saturating_mul(size)
        })
    }
}

/// Where a name is in a list of names.
const fn place(name: &str, names: &[&str]) -> usize {
    let mut i = 0;
    while i < names.len() {
        if same(name.as_bytes(), names[i].as_bytes()) {
            return i;
        }
        i += 1;
    }
    panic!("the work of an instruction is told by operands it does not have");
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// Names each instruction, its operands, those whose product is its work, and the kernel that takes a team and the
/// operands in that order. The opcodes are counted from 0.
macro_rules! instructions {
    ($($name:ident($($operand:ident)*) [$($size:ident)*] => $kernel:path;)*) => {
        /// `name operand operand …` of each instruction, one a line: the build makes the encoder's table of it.
        static TABLE: &str = concat!($(stringify!($name), $(" ", stringify!($operand),)* "\n"),*);

        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy)]
        enum Opcode { $($name),* }

        const OPCODES: &[Opcode] = &[$(Opcode::$name),*];

        /// Of each opcode, how many operands it has, and which of them make up its work.
        static SHAPES: &[(usize, &[usize])] = &[$({
            const NAMES: &[&str] = &[$(stringify!($operand)),*];
            (NAMES.len(), &[$(place(stringify!($size), NAMES)),*])
        }),*];

        unsafe fn execute(opcode: Opcode, team: &Team, cursor: &mut Cursor) {
            $(
                // A function each: an engine keeps the registers of a small one better than of all in one.
                #[inline(never)]
                unsafe fn $name(team: &Team, cursor: &mut Cursor) {
                    $kernel(team, $({
                        const _: &str = stringify!($operand);
                        cursor.operand()
                    }),*);
                }
            )*
            match opcode {
                $(Opcode::$name => $name(team, cursor),)*
            }
        }
    };
}

instructions! {
    pack(format from to rows inner worst) [rows inner] => packed::pack;
    pack_transposed(format from to rows inner room worst) [rows inner] => packed::pack_transposed;
    pack_columns(format from to first rows inner outer worst) [rows inner] => packed::pack_columns;
    check_finite(format x count worst) [count] => packed::check_finite;
    copy_words(from to count) [count] => move_words;
    full(value y count) [count] => kernels::full::full;
    unary(function x y count) [count] => kernels::unary::unary;
    binary(function a b y axes count) [count] => kernels::binary::binary;
    fused(tape scratch buffers ops count) [ops count] => crate::fused::fused;
    compare(function a b y axes count) [count] => kernels::compare::compare;
    compare_whole(function a b y axes count) [count] => kernels::compare::compare_whole;
    select(condition a b y axes count) [count] => kernels::select::select;
    cast_to_whole(x y count) [count] => kernels::cast::cast_to_whole;
    cast_to_float(x y count) [count] => kernels::cast::cast_to_float;
    reduce(function x y kept folded count) [count] => kernels::reduce::reduce;
    transpose(x y axes count) [count] => kernels::transpose::transpose;
    slice(x y rows pitch offset width) [rows width] => kernels::slice::slice;
    concat(a b y rows a_width b_width) [rows a_width] => kernels::concat::concat;
    broadcast(x y axes count) [count] => kernels::broadcast::broadcast;
    gather(format table ids y count rows width) [count width] => kernels::gather::gather;
    scatter_add(ids x y count rows width) [count width] => kernels::scatter_add::scatter_add;
    linear(format x w y scratch rows inner outer) [rows inner outer] => kernels::linear::linear;
    linear_sparse(format x w y scratch rows inner outer) [rows inner outer] => kernels::linear::linear_sparse;
    linear_rows(x w y scratch rows inner outer) [rows inner outer] => kernels::linear::linear_rows;
    linear_columns(x w y scratch rows inner outer) [rows inner outer] => kernels::linear::linear_columns;
    matmul(a b y scratch batch m k n transpose_a transpose_b) [batch m k n] => kernels::matmul::matmul;
    softmax(x y rows width) [rows width] => kernels::softmax::softmax;
    layer_norm(x w b y rows width eps) [rows width] => kernels::layer_norm::layer_norm;
    group_norm(x w b y rows groups width eps) [rows groups width] => kernels::group_norm::group_norm;
    group_norm_grad(
        x w gy gx gw gb scratch rows groups width eps
    ) [rows groups width] => kernels::group_norm_grad::group_norm_grad;
    l2_norm(x y rows width eps) [rows width] => kernels::l2_norm::l2_norm;
    token_shift(
        x prev starts slots y last tokens sequences width pool_rows
    ) [tokens width] => kernels::token_shift::token_shift;
    token_shift_grad(
        starts gy glast gx gprev tokens sequences width
    ) [tokens width] => kernels::token_shift_grad::token_shift_grad;
    wkv4(
        w u k v aa0 bb0 pp0 starts slots y aa bb pp tokens sequences width pool_rows
    ) [tokens width] => kernels::wkv4::wkv4;
    wkv4_grad(
        w u k v aa0 bb0 pp0 starts gy gaa gbb gpp gw gu gk gv gaa0 gbb0 gpp0 scratch tokens sequences width
    ) [tokens width] => kernels::wkv4_grad::wkv4_grad;
    wkv6(
        r lw k v u s0 starts slots y s scratch tokens sequences heads size pool_rows per_token
    ) [tokens heads size size] => kernels::wkv6::wkv6;
    wkv6_grad(
        r lw k v u s0 starts gy gs gr glw gk gv gu gs0 scratch tokens sequences heads size per_token
    ) [tokens heads size size] => kernels::wkv6_grad::wkv6_grad;
    wkv7(
        r lw k v a b s0 starts slots y s scratch tokens sequences heads size pool_rows
    ) [tokens heads size size] => kernels::wkv7::wkv7;
    wkv7_grad(
        r lw k v a b s0 starts gy gs gr glw gk gv ga gb gs0 scratch tokens sequences heads size
    ) [tokens heads size size] => kernels::wkv7_grad::wkv7_grad;
    state_read(pool slots y count rows width) [count width] => kernels::state_read::state_read;
    state_write(pool slots value count rows width) [count width] => kernels::state_write::state_write;
    cross_entropy(logits targets y rows width) [rows width] => kernels::cross_entropy::cross_entropy;
    cross_entropy_grad(
        logits targets gy glogits rows width
    ) [rows width] => kernels::cross_entropy_grad::cross_entropy_grad;
    argmax(x y rows width) [rows width] => kernels::argmax::argmax;
    sample(
        logits parameters counts u token counts_after scratch rows width
    ) [rows width] => kernels::sample::sample;
}

/// An instruction of less work is run by one thread: waiting for others would take longer.
const WORTH_SHARING: usize = 8192;

/// from, to: [count] of f32 or i32, possibly one memory
unsafe fn move_words(team: &Team, from: *const u32, to: *mut u32, count: usize) {
    team.share(count, 1024, |begin, end| copy(from.add(begin), to.add(begin), end - begin));
}

unsafe fn run_step(turns: &Turns, code: *const u64, registers: *const u64) {
    let mut cursor = Cursor { at: code.add(1), registers };
    for _ in 0..*code {
        let opcode = cursor.next();
        let (operands, sizes) = SHAPES[opcode];
        let next = cursor.at.add(operands);
        if turns.has_others() && cursor.work(sizes) >= WORTH_SHARING {
            execute(OPCODES[opcode], turns.shared(), &mut cursor);
        } else if turns.alone() {
            execute(OPCODES[opcode], &Team::alone(), &mut cursor);
        }
        cursor.at = next;
    }
}

/// Runs all steps of a loop as thread `id` of `threads`, each of which must call this. See the head of this file for
/// the layout of the three tables.
#[no_mangle]
pub unsafe extern "C" fn run(
    code: *const u64,
    registers: *mut u64,
    plan: *const u64,
    id: usize,
    threads: usize,
    control: *const Control,
) {
    let team = Team::new(id, threads, control);
    let turns = Turns::new(&team);
    let steps = *plan;
    let carries = plan.add(1);
    let strides = carries.add(1 + 3 * *carries as usize);
    for step in 0..steps {
        run_step(&turns, code, registers);
        turns.all_done();
        if step + 1 == steps {
            return;
        }
        if id == 0 {
            let mut cursor = Cursor { at: carries.add(1), registers };
            for _ in 0..*carries {
                move_words(&Team::alone(), cursor.operand(), cursor.operand(), cursor.operand());
            }
            for i in 0..*strides as usize {
                let stride = strides.add(1 + 2 * i);
                let register = registers.add(*stride as usize);
                *register = (*register).wrapping_add(*stride.add(1));
            }
        }
        turns.all_done();
    }
}

/// The f32 of scratch that `linear` needs.
#[no_mangle]
pub extern "C" fn linear_scratch(threads: usize, rows: usize, inner: usize) -> usize {
    packed::scratch(threads, rows, inner)
}

/// The f32 of scratch that `linear_sparse` needs.
#[no_mangle]
pub extern "C" fn linear_sparse_scratch(threads: usize, rows: usize, inner: usize, outer: usize) -> usize {
    packed::columns_scratch(threads, rows, inner, outer)
}

/// The f32 of scratch that products of matrices that lie row by row need on all threads together.
#[no_mangle]
pub extern "C" fn matrices_scratch(threads: usize) -> usize {
    threads * crate::matrices::SCRATCH
}

/// The f32 of scratch that `fused` needs on all threads together.
#[no_mangle]
pub extern "C" fn fused_scratch(threads: usize, buffers: usize) -> usize {
    threads * crate::fused::scratch(buffers)
}

/// The f32 of scratch that `group_norm_grad` needs on all threads together.
#[no_mangle]
pub extern "C" fn group_norm_grad_scratch(_: usize, rows: usize, channels: usize) -> usize {
    kernels::group_norm_grad::scratch(rows, channels)
}

/// The f32 of scratch that `wkv4_grad` needs on all threads together.
#[no_mangle]
pub extern "C" fn wkv4_grad_scratch(threads: usize, tokens: usize) -> usize {
    threads * tokens * kernels::wkv4_grad::KEPT
}

/// The f32 of scratch that `wkv7` needs on all threads together.
#[no_mangle]
pub extern "C" fn wkv7_scratch(threads: usize, size: usize) -> usize {
    threads * kernels::wkv7::scratch(size)
}

/// The f32 of scratch that `wkv7_grad` needs on all threads together.
#[no_mangle]
pub extern "C" fn wkv7_grad_scratch(threads: usize, tokens: usize, size: usize) -> usize {
    threads * kernels::wkv7_grad::scratch(tokens, size)
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

//! Threads that run one program together.
//!
//! Every thread walks the same instructions. What is large enough to share, they take from a common counter piece by
//! piece, so a thread that the system gives less time takes less; between two such instructions they meet at a barrier.
//! In builds without the feature `threads` a team is always one.

#[cfg(feature = "threads")]
use crate::arch::{memory_atomic_notify, memory_atomic_wait32};
use core::cell::Cell;
use core::ptr::null;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};

/// Pieces that an instruction is cut into for each thread: many, so that all are done at about the same time.
const PIECES: usize = 8;

/// How often a thread looks for the others before it sleeps: about as long as the small instructions of a block take.
const SPINS: u32 = 20_000;

/// What the threads of a team share. Zeroed memory is a valid one; each field has a cache line of its own.
#[repr(C, align(64))]
pub struct Control {
    /// Where the next piece of the present instruction begins.
    next: Line<AtomicUsize>,
    arrived: Line<AtomicU32>,
    /// Counts the barriers passed; threads sleep on it.
    generation: Line<AtomicI32>,
    sleepers: Line<AtomicU32>,
}

#[repr(C, align(64))]
struct Line<T>(T);

/// One thread's place in its team.
pub struct Team {
    pub id: usize,
    pub size: usize,
    control: *const Control,
}

impl Team {
    /// # Safety
    /// `control` is shared by exactly the threads `0..size`, or unused when `size` is 1.
    pub unsafe fn new(id: usize, size: usize, control: *const Control) -> Team {
        Team { id, size, control }
    }

    /// A team of one, for what is not worth sharing.
    pub fn alone() -> Team {
        Team { id: 0, size: 1, control: null() }
    }

    /// So many items or a few more, such that all threads have the same number of them to do.
    pub fn even(&self, items: usize) -> usize {
        let pieces = self.size * PIECES;
        items.next_multiple_of(if items > pieces { pieces } else { self.size })
    }

    /// Calls `f(begin, end)` for pieces of `0..items` until all are taken, by whichever thread is free. Pieces begin at
    /// multiples of `unit`. At most once between two barriers.
    #[inline(always)]
    pub unsafe fn share(&self, items: usize, unit: usize, mut f: impl FnMut(usize, usize)) {
        if self.size == 1 {
            if items > 0 {
                f(0, items);
            }
            return;
        }
        let piece = items.div_ceil(self.size * PIECES).div_ceil(unit) * unit;
        loop {
            let begin = (*self.control).next.0.fetch_add(piece, Ordering::Relaxed);
            if begin >= items {
                return;
            }
            f(begin, items.min(begin + piece));
        }
    }

    /// Waits for all threads; what any of them wrote before is seen by all after.
    pub unsafe fn barrier(&self) {
        if self.size == 1 {
            return;
        }
        let control = &*self.control;
        let generation = control.generation.0.load(Ordering::Acquire);
        if control.arrived.0.fetch_add(1, Ordering::AcqRel) + 1 == self.size as u32 {
            control.arrived.0.store(0, Ordering::Relaxed);
            control.next.0.store(0, Ordering::Relaxed);
            control.generation.0.store(generation.wrapping_add(1), Ordering::SeqCst);
            if control.sleepers.0.load(Ordering::SeqCst) != 0 {
                wake(&control.generation.0);
            }
            return;
        }
        for _ in 0..SPINS {
            if control.generation.0.load(Ordering::Acquire) != generation {
                return;
            }
            core::hint::spin_loop();
        }
        control.sleepers.0.fetch_add(1, Ordering::SeqCst);
        while control.generation.0.load(Ordering::SeqCst) == generation {
            sleep(&control.generation.0, generation);
        }
        control.sleepers.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(feature = "threads")]
unsafe fn wake(at: &AtomicI32) {
    memory_atomic_notify(at.as_ptr(), u32::MAX);
}

#[cfg(feature = "threads")]
unsafe fn sleep(at: &AtomicI32, seen: i32) {
    memory_atomic_wait32(at.as_ptr(), seen, -1);
}

#[cfg(not(feature = "threads"))]
unsafe fn wake(_: &AtomicI32) {}

#[cfg(not(feature = "threads"))]
unsafe fn sleep(_: &AtomicI32, _: i32) {
    #[cfg(not(target_family = "wasm"))]
    std::thread::yield_now();
}

/// Decides, one instruction after the other and on every thread alike, who runs it and where the barriers are.
pub struct Turns<'a> {
    team: &'a Team,
    since: Cell<Since>,
}

/// What was done since the last barrier.
#[derive(Clone, Copy, PartialEq)]
enum Since {
    Nothing,
    Alone,
    Shared,
}

impl<'a> Turns<'a> {
    pub fn new(team: &'a Team) -> Turns<'a> {
        Turns { team, since: Cell::new(Since::Nothing) }
    }

    pub fn has_others(&self) -> bool {
        self.team.size > 1
    }

    /// All threads, after what came before is done.
    pub unsafe fn shared(&self) -> &'a Team {
        if self.since.get() != Since::Nothing {
            self.team.barrier();
        }
        self.since.set(Since::Shared);
        self.team
    }

    /// Whether this thread is the one to run an instruction alone, now that what came before is done.
    pub unsafe fn alone(&self) -> bool {
        if self.since.get() == Since::Shared {
            self.team.barrier();
        }
        self.since.set(Since::Alone);
        self.team.id == 0
    }

    /// Everything before is done on every thread.
    pub unsafe fn all_done(&self) {
        self.team.barrier();
        self.since.set(Since::Nothing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Four threads on however many cores: every piece is done once, and no thread is ahead of a barrier.
    #[test]
    fn a_team_does_everything_once_and_together() {
        let control = Control {
            next: Line(AtomicUsize::new(0)),
            arrived: Line(AtomicU32::new(0)),
            generation: Line(AtomicI32::new(0)),
            sleepers: Line(AtomicU32::new(0)),
        };
        let address = &control as *const Control as usize;
        let done = Mutex::new(vec![0; 100]);
        std::thread::scope(|scope| {
            for id in 0..4 {
                let done = &done;
                scope.spawn(move || unsafe {
                    let team = Team::new(id, 4, address as *const Control);
                    for round in 1..=50 {
                        team.share(100, 4, |begin, end| {
                            assert_eq!(begin % 4, 0);
                            done.lock().unwrap()[begin..end].iter_mut().for_each(|count| *count += 1);
                        });
                        team.barrier();
                        assert!(done.lock().unwrap().iter().all(|&count| count == round));
                        team.barrier();
                    }
                });
            }
        });
    }
}

//! Runs the firmware's self-test on the board and ends QEMU with the verdict as its exit code.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m_rt::entry;
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hprintln;
use lm3s6965 as _;
use systole_firmware::self_test::CASES;

#[entry]
fn main() -> ! {
    let mut failed = 0;
    for case in CASES {
        match case.run() {
            Ok(()) => hprintln!("ok      {}", case.name),
            Err(failure) => {
                failed += 1;
                hprintln!("FAILED  {}: {:?}", case.name, failure);
            }
        }
    }
    hprintln!(
        "self-test: {} passed, {} failed",
        CASES.len() - failed,
        failed
    );
    end(failed == 0)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    end(false)
}

/// Under QEMU this does not return; on a board with a debugger it may.
fn end(passed: bool) -> ! {
    debug::exit(if passed { EXIT_SUCCESS } else { EXIT_FAILURE });
    loop {
        core::hint::spin_loop();
    }
}

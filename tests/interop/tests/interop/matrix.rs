//! Runs the cases, several pairs at a time, and prints what became of them.

use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::cases::{ALL, Case};
use crate::pair::Role;

/// Pairs at a time. They mostly wait; more would disturb each other's timings on a small machine.
const AT_ONCE: usize = 3;

/// One cell of the matrix.
struct Outcome {
    case: usize,
    role: Role,
    /// What the case has measured, or why it failed.
    said: Result<String, String>,
}

/// Runs every case whose name holds one of the words; all of them when there are none.
pub(crate) fn run(words: &[String]) -> ExitCode {
    let wanted = |case: &Case| {
        words.is_empty() || words.iter().any(|word| case.name.contains(word.as_str()))
    };
    let jobs: Vec<(usize, Role)> = ALL
        .iter()
        .enumerate()
        .filter(|(_, case)| wanted(case))
        .flat_map(|(index, _)| Role::BOTH.map(|role| (index, role)))
        .collect();
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    // A failing case says so in the matrix, with both logs; the default hook would say it twice.
    std::panic::set_hook(Box::new(|_| {}));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(&(case, role)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run_one(case, role);
                    println!("{}", line(&outcome));
                    let mut all = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                    all.push(outcome);
                }
            });
        }
    });
    let outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    table(&outcomes);
    let failed = outcomes.iter().filter(|it| it.said.is_err()).count();
    // The line by which `cargo xtask test` counts.
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    let passed = outcomes.len() - failed;
    println!("test result: {verdict}. {passed} passed; {failed} failed; 0 ignored;");
    // Words that fit no case must not look like success.
    if failed == 0 && !outcomes.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run_one(case: usize, role: Role) -> Outcome {
    let run = ALL.get(case).map(|case| case.run);
    let said = catch_unwind(AssertUnwindSafe(|| {
        run.map(|run| run(role)).unwrap_or_default()
    }));
    let said = said.map_err(|why| {
        let text = why.downcast_ref::<String>().cloned();
        text.or_else(|| why.downcast_ref::<&str>().map(|&text| text.to_owned()))
            .unwrap_or_else(|| "it panicked".to_owned())
    });
    Outcome { case, role, said }
}

fn name(outcome: &Outcome) -> &'static str {
    ALL.get(outcome.case).map_or("?", |case| case.name)
}

fn line(outcome: &Outcome) -> String {
    let (name, role) = (name(outcome), outcome.role);
    match &outcome.said {
        Ok(said) => format!("ok    {name} ({role}) {said}"),
        Err(why) => format!("FAIL  {name} ({role})\n{why}"),
    }
}

fn table(outcomes: &[Outcome]) {
    let cell = |case: usize, role: Role| {
        let found = outcomes
            .iter()
            .find(|it| it.case == case && it.role == role);
        match found.map(|it| &it.said) {
            Some(Ok(said)) if said.is_empty() => "ok".to_owned(),
            Some(Ok(said)) => format!("ok, {said}"),
            Some(Err(_)) => "FAILED".to_owned(),
            None => String::new(),
        }
    };
    let run = ALL
        .iter()
        .enumerate()
        .filter(|(index, _)| outcomes.iter().any(|it| it.case == *index));
    println!(
        "\n{:38} {:44} Heartbeat + Systole",
        "", "Systole + Heartbeat"
    );
    for (index, case) in run {
        let [first, second] = Role::BOTH.map(|role| cell(index, role));
        println!("{:38} {first:44} {second}", case.name);
    }
}

//! What a task's slot and publication are called.

use connector_core::{Identity, TaskId};

use crate::ident::digest;

/// What every name begins with.
pub(super) const PREFIX: &str = "sync_";
/// The most bytes a name has in PostgreSQL.
const MAX_BYTES: usize = 63;

/// The name of the slot and of the publication of `task`: the same always, and another one for every other task and
/// database, since slots are the whole server's. Letters that a slot's name cannot have are underscores.
pub(super) fn name(database: &Identity, task: &TaskId) -> String {
    let digest = format!("{:016x}", digest(&format!("{database} {task}")));
    let room = MAX_BYTES - PREFIX.len() - 1 - digest.len();
    let letter = |letter: char| match letter.to_ascii_lowercase() {
        letter @ ('a'..='z' | '0'..='9') => letter,
        _ => '_',
    };
    let readable: String = task.as_str().chars().map(letter).take(room).collect();
    format!("{PREFIX}{readable}_{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_slot_names_and_each_tasks_own() {
        let here = Identity::new("postgres", "7/5");
        let long = "リード".repeat(40);
        let tasks = [
            TaskId::new("leads", "Lead"),
            TaskId::new("leads", "lead"),
            TaskId::new(&long, "a"),
            TaskId::new(&long, "b"),
            TaskId::new("", ""),
        ];
        let mut names: Vec<String> = tasks.iter().map(|task| name(&here, task)).collect();
        names.push(name(&Identity::new("postgres", "7/6"), &tasks[0]));
        assert_eq!(names[0], "sync_leads_lead_52b79a6cb88b12fd");
        for name in &names {
            let allowed = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_');
            assert!(name.len() <= MAX_BYTES && name.chars().all(allowed), "{name}");
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 6);
    }
}

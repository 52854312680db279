//! How many of all places a run of these trials takes.

/// Every place when the environment holds `FAULTS_ALL`; otherwise every so-and-so-many-th, so that the trials take a
/// minute or two.
pub(crate) fn step(otherwise: usize) -> usize {
    if std::env::var_os("FAULTS_ALL").is_some() {
        1
    } else {
        otherwise
    }
}

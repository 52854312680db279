//! What is asked of the source that does everything right, in place of what was asked for.

use connector_core::{Error, ErrorKind, Key, ReadRequest, Result, Selection, State, SyncMode};
use serde_json::json;

use super::connection::Connection;
use super::defect::Defect;
use super::journal::known_as;
use crate::stored::{is_an_end, part, with};

/// A request, and the keys that were given if it is a read by keys.
pub(super) struct Asked {
    pub(super) request: ReadRequest,
    pub(super) keys: Vec<Key>,
}

impl Connection {
    /// The request as a plan sees it.
    pub(super) async fn plan(&self, mut request: ReadRequest) -> Result<ReadRequest> {
        match (self.defect, &mut request.sync) {
            (Some(Defect::UnknownFieldLeftOut), _) => {
                let schema = self.describe_well(&request.selection).await?.schema;
                request.fields.retain(|name| schema.field(name).is_some());
            }
            (Some(Defect::UnknownCursorLeftOut), _) => request.cursor = None,
            (Some(Defect::UnknownFilterLeftOut), _) => {
                let schema = self.describe_well(&request.selection).await?.schema;
                let filter = request.filter.take();
                request.filter = filter.filter(|filter| filter.for_records(&schema).is_ok());
            }
            (Some(Defect::DifferenceUnfenced), SyncMode::Difference(difference)) => {
                difference.fence = self.server.lock().fence.clone().unwrap();
            }
            (Some(Defect::FullIgnored), SyncMode::Difference(difference)) => difference.full = false,
            (Some(Defect::ConfirmedForgotten), SyncMode::Difference(difference)) => difference.full = true,
            (
                Some(Defect::SystemOfTargetIgnored | Defect::ObjectOfTargetIgnored),
                SyncMode::Difference(difference),
            ) => difference.target = known_as(self.defect, &difference.target),
            _ => {}
        }
        request.state = match request.state {
            Some(state) => self.taken(&request.selection, state).await?,
            None => None,
        };
        Ok(request)
    }

    async fn describe_well(&self, what: &Selection) -> Result<connector_core::StreamSpec> {
        self.inner().describe(what).await
    }

    /// The state that is gone on from, where one is given.
    async fn taken(&self, selection: &Selection, state: State) -> Result<Option<State>> {
        let here = self.inner().identity().await?;
        Ok(match self.defect {
            Some(Defect::ForeignStateIsNone) if part(&state, "source") != here.as_str() => None,
            Some(Defect::OtherStreamsStateTaken) => {
                Some(with(&state, "stream", json!(selection.to_string())))
            }
            Some(Defect::NewerStateTaken) => Some(with(&state, "version", json!(1))),
            Some(Defect::DamagedStateIsNone) if !part(&state, "data").is_object() => None,
            _ => Some(state),
        })
    }

    /// The request as the reader carries it out.
    pub(super) async fn asked(&self, mut request: ReadRequest) -> Result<Asked> {
        // Everything that can be refused is refused first: what is asked for is wrong only in what comes of it.
        self.source().plan_read(&request).await?;
        let keys = match &request.sync {
            SyncMode::Keys(keys) => keys.clone(),
            _ => Vec::new(),
        };
        match (self.defect, &mut request.sync) {
            (Some(Defect::BytesIgnored), _) => request.batch_bytes = 1 << 20,
            (Some(Defect::RecordsIgnored), _) => request.batch_records = usize::MAX,
            (Some(Defect::FieldsInOwnOrder), _) => {
                let schema = self.describe_well(&request.selection).await?.schema;
                let place = |name: &String| schema.index_of(name).unwrap();
                request.fields.sort_by_key(place);
            }
            (Some(Defect::EveryFieldComes), _) => request.fields.clear(),
            (Some(Defect::AcknowledgedIsGone), SyncMode::Incremental) if request.state.is_none() => {
                request.state = self.server.lock().acknowledged.clone();
            }
            (Some(Defect::FilterIgnored), SyncMode::FullRefresh)
            | (Some(Defect::FilterIgnoredForChanges), SyncMode::Incremental)
            | (Some(Defect::FilterIgnoredForDifferences), SyncMode::Difference(_))
            | (Some(Defect::FilterIgnoredForKeys), SyncMode::Keys(_)) => request.filter = None,
            (Some(Defect::KeysIgnored), SyncMode::Keys(_)) => request.sync = SyncMode::FullRefresh,
            (Some(Defect::NoKeysAreNoCondition), SyncMode::Keys(keys)) if keys.is_empty() => {
                request.sync = SyncMode::FullRefresh;
            }
            (Some(Defect::FirstKeysOnly), SyncMode::Keys(keys)) => keys.truncate(5),
            _ => {}
        }
        if self.has(Defect::LogWithoutItsStart)
            && request.sync == SyncMode::Changed
            && request.state.is_none()
        {
            request.state = Some(self.state_of_now().await?);
        }
        if let Some(state) = request.state.take() {
            request.state = self.gone_on_from(&request.sync, state)?;
        }
        Ok(Asked { request, keys })
    }

    fn gone_on_from(&self, sync: &SyncMode, state: State) -> Result<Option<State>> {
        let mut server = self.server.lock();
        let mut data = part(&state, "data");
        Ok(match self.defect {
            Some(Defect::StateUnused) if *sync == SyncMode::Incremental => None,
            Some(Defect::StateOfOneUse) => {
                if server.used.contains(&state) {
                    return Err(Error::new(
                        ErrorKind::State,
                        "the server knows no such cursor any more",
                    ));
                }
                server.used.push(state.clone());
                Some(state)
            }
            Some(Defect::ResumedFullReadSkips) if *sync == SyncMode::FullRefresh && !is_an_end(&state) => {
                data["rows"]["slot"] = json!(data["rows"]["slot"].as_u64().unwrap() + 1);
                Some(with(&state, "data", data))
            }
            Some(Defect::TiesSkipped) if data.get("changes").is_some() => {
                data["changes"]["slot"] = json!(null);
                Some(with(&state, "data", data))
            }
            Some(Defect::NewestStateCounts) => server.newest.clone(),
            Some(Defect::ReadingMovesTheLog) if *sync == SyncMode::Changed => server.log_end.clone(),
            Some(Defect::AcknowledgedToTheEnd | Defect::ForgottenIsSkipped) if *sync == SyncMode::Changed => {
                server.log_start.clone().or(Some(state))
            }
            _ => Some(state),
        })
    }
}

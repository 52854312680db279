//! A wrapped connector is what it was.

use std::sync::Arc;

use connector_core::{Connector, Destination, ErrorKind, Source};

use super::run::call;
use super::sample::{Bare, Sample, read_request, write_request};
use crate::faults::{Events, Faulty, Operation, Recorder};

#[tokio::test]
async fn every_operation_passes_the_hook_under_its_own_name() {
    for operation in Operation::ALL {
        let recorder = Recorder::new();
        let sample: Arc<dyn Connector> = Arc::new(Sample::default());
        let connector = Faulty::new(sample, &Events::new(recorder.clone()));
        call(&connector, operation).await.unwrap();
        let last = recorder.events().pop().unwrap();
        assert_eq!(last.operation, operation);
    }
}

#[test]
fn capabilities_are_the_inner_ones() {
    let sample = Sample::default();
    let connector = Faulty::new(Arc::new(sample.clone()), &Events::new(Recorder::new()));
    assert_eq!(connector.name(), "sample");
    assert_eq!(connector.inner().name(), "sample");
    assert_eq!(
        connector.as_source().unwrap().read_capabilities(),
        sample.read_capabilities()
    );
    assert_eq!(
        connector.as_destination().unwrap().capabilities(),
        sample.capabilities()
    );
}

#[tokio::test]
async fn a_role_that_the_inner_one_lacks_stays_lacking() {
    let bare: Arc<dyn Connector> = Arc::new(Bare);
    let connector = Faulty::new(bare, &Events::new(Recorder::new()));
    assert!(connector.as_source().is_none());
    assert!(connector.as_destination().is_none());
    assert!(connector.state_store().is_none());
    assert!(connector.journal().is_none());
    assert!(connector.statements().is_none());
    let error = connector.reader(read_request()).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.to_string(), "`bare` is no source");
    assert!(connector.writer(write_request()).await.is_err());
}

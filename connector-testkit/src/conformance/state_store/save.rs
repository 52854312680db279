//! States that come back as they were.

use connector_core::{Identity, State};
use serde_json::{Value, json};

use super::{StateStoreSystem, claim, save, state, stored, task};
use crate::conformance::Verdict;
use crate::conformance::verdict::{ensure, ensure_eq};

pub(super) async fn a_saved_state_comes_back(system: &dyn StateStoreSystem) -> Verdict {
    let shapes = [
        json!(null),
        json!(""),
        json!([]),
        json!({}),
        json!(-7),
        json!({
            "cursor": "2024-02-29T23:59:59.999999Z",
            "least": i64::MIN,
            "most": u64::MAX,
            "share": 0.1,
            "yes": true,
            "nothing": null,
            "": "the empty name",
            "Case": 1,
            "case": 2,
            "nested": [[], [{}], {"a": [1, null, "one"]}],
        }),
    ];
    for shape in shapes {
        let wanted = state(&shape)?;
        let claim = claim(system, &task()).await?;
        save(system, &claim.fence, &wanted).await?;
        drop(claim);
        ensure_eq!(
            stored(system, &task()).await?,
            Some(wanted),
            "a state that was saved and read back over a new handle"
        );
    }
    Ok(())
}

pub(super) async fn the_last_of_several_saves_wins(system: &dyn StateStoreSystem) -> Verdict {
    let claim = claim(system, &task()).await?;
    let store = system.store();
    // The last is neither the first nor the longest nor the shortest, and others sort before and after it.
    let saves = ["b", "z, which is longer than the others", "", "az"];
    for data in saves {
        store.save(&claim.fence, &state(&json!(data))?).await?;
    }
    drop(claim);
    ensure_eq!(
        stored(system, &task()).await?,
        Some(state(&json!("az"))?),
        "the state after {} saves under one claim",
        saves.len()
    );
    Ok(())
}

pub(super) async fn a_large_state_comes_back(system: &dyn StateStoreSystem) -> Verdict {
    let data = json!({"text": text(512 << 10), "list": list(512 << 10)});
    let wanted = state(&data)?;
    let claim = claim(system, &task()).await?;
    save(system, &claim.fence, &wanted).await?;
    drop(claim);
    let Some(found) = stored(system, &task()).await? else {
        ensure!(false, "a state of more than 1 MiB is gone");
        return Ok(());
    };
    // Neither is shown: they are large.
    ensure!(
        found == wanted,
        "a state of more than 1 MiB came back as another, of {} bytes instead of {}",
        size(&found),
        size(&wanted)
    );
    Ok(())
}

/// What JSON, SQL and encodings may stumble over.
const PIECES: [&str; 8] = [
    "plain ",
    "\"quoted\" \\ ",
    "it's -- ",
    "\u{1}\u{7}\u{8}\u{b}\u{1f}\u{7f}\t\r\n",
    "na\u{ef}ve \u{df} ",
    "\u{6f22}\u{5b57} ",
    "\u{1f980} ",
    "\u{85}\u{a0}\u{2028}\u{feff} ",
];

fn text(bytes: usize) -> String {
    let mut text = String::new();
    for number in 0_usize.. {
        text.push_str(PIECES[number % PIECES.len()]);
        text.push_str(&number.to_string());
        if text.len() >= bytes {
            break;
        }
    }
    text
}

fn list(bytes: usize) -> Vec<Value> {
    let each = 64;
    (0..bytes / each)
        .map(|number| {
            let piece = PIECES[number % PIECES.len()];
            json!({"number": number, "piece": piece, piece: ["padding", null, number % 2 == 0]})
        })
        .collect()
}

fn size(state: &State) -> usize {
    serde_json::to_string(state).map_or(0, |text| text.len())
}

pub(super) async fn a_state_is_kept_whoever_it_is_of(system: &dyn StateStoreSystem) -> Verdict {
    let of = |identity: Identity, stream: &str, version| State::new(identity, stream, version, &json!(7));
    let states = [
        of(Identity::new("conformance", "source"), "Thing", 1)?,
        of(Identity::new("conformance", "another source"), "Thing", 1)?,
        of(Identity::new("", ""), "", 0)?,
        of(Identity::new("it's", "\"\u{1f980}\""), "public.\"Thing\"", 1)?,
        of(Identity::new("conformance", "source"), "thing", u32::MAX)?,
        of(Identity::new("conformance", "source"), "Thing", 1)?,
    ];
    for wanted in states {
        let claim = claim(system, &task()).await?;
        save(system, &claim.fence, &wanted).await?;
        drop(claim);
        ensure_eq!(
            stored(system, &task()).await?,
            Some(wanted),
            "a state of another source, stream or version than the one before"
        );
    }
    Ok(())
}

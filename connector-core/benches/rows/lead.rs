//! Records of the shape of a lead: ids, short and long text, picklists, numbers, times, and many nulls.

/// One value as a source has it, already parsed.
pub(crate) enum Cell {
    Null,
    Bool(bool),
    Int(i32),
    Float(f64),
    /// A whole amount.
    Decimal(i64),
    Text(String),
    /// Days since 1970.
    Date(i32),
    /// Microseconds since 1970.
    Instant(i64),
}

/// What a field holds.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Bool,
    Int,
    Float,
    Decimal,
    /// Words, this many characters at least and at most.
    Words(u32, u32),
    /// Digits, this many.
    Digits(u32),
    /// An id of 18 characters.
    Id,
    /// One of these.
    Pick(&'static [&'static str]),
    Date,
    Instant,
}

/// The fields: name, what they hold, and how many in a hundred are null.
pub(crate) const FIELDS: [(&str, Kind, u64); 48] = [
    ("Id", Kind::Id, 0),
    ("IsDeleted", Kind::Bool, 0),
    ("MasterRecordId", Kind::Id, 98),
    ("LastName", Kind::Words(4, 14), 0),
    ("FirstName", Kind::Words(3, 12), 5),
    ("Salutation", Kind::Pick(&["Mr.", "Ms.", "Dr.", "Prof."]), 40),
    ("Name", Kind::Words(8, 26), 0),
    ("Title", Kind::Words(6, 40), 30),
    ("Company", Kind::Words(5, 40), 0),
    ("Street", Kind::Words(10, 40), 25),
    ("City", Kind::Words(4, 18), 20),
    ("State", Kind::Words(2, 16), 35),
    ("PostalCode", Kind::Digits(5), 25),
    (
        "Country",
        Kind::Pick(&["Deutschland", "日本", "United States", "France", "España"]),
        10,
    ),
    ("Latitude", Kind::Float, 60),
    ("Longitude", Kind::Float, 60),
    ("GeocodeAccuracy", Kind::Pick(&["Address", "Street", "Zip"]), 60),
    ("Phone", Kind::Digits(12), 20),
    ("MobilePhone", Kind::Digits(12), 50),
    ("Fax", Kind::Digits(12), 85),
    ("Email", Kind::Words(14, 36), 8),
    ("Website", Kind::Words(16, 40), 40),
    ("Description", Kind::Words(20, 400), 60),
    (
        "LeadSource",
        Kind::Pick(&[
            "Web",
            "Phone Inquiry",
            "Partner Referral",
            "Purchased List",
            "Other",
        ]),
        10,
    ),
    (
        "Status",
        Kind::Pick(&[
            "Open - Not Contacted",
            "Working - Contacted",
            "Closed - Converted",
        ]),
        0,
    ),
    (
        "Industry",
        Kind::Pick(&["Agriculture", "Banking", "Education", "Manufacturing"]),
        30,
    ),
    ("Rating", Kind::Pick(&["Hot", "Warm", "Cold"]), 40),
    ("AnnualRevenue", Kind::Decimal, 45),
    ("NumberOfEmployees", Kind::Int, 45),
    ("OwnerId", Kind::Id, 0),
    ("IsConverted", Kind::Bool, 0),
    ("ConvertedDate", Kind::Date, 90),
    ("ConvertedAccountId", Kind::Id, 90),
    ("ConvertedContactId", Kind::Id, 90),
    ("ConvertedOpportunityId", Kind::Id, 92),
    ("IsUnreadByOwner", Kind::Bool, 0),
    ("CreatedDate", Kind::Instant, 0),
    ("CreatedById", Kind::Id, 0),
    ("LastModifiedDate", Kind::Instant, 0),
    ("LastModifiedById", Kind::Id, 0),
    ("SystemModstamp", Kind::Instant, 0),
    ("LastActivityDate", Kind::Date, 50),
    ("LastViewedDate", Kind::Instant, 70),
    ("LastReferencedDate", Kind::Instant, 70),
    (
        "CleanStatus",
        Kind::Pick(&["Pending", "Matched", "Different"]),
        15,
    ),
    ("CompanyDunsNumber", Kind::Digits(9), 80),
    ("EmailBouncedReason", Kind::Words(20, 80), 97),
    ("EmailBouncedDate", Kind::Instant, 97),
];

/// `rows` records, row after row; the same every time.
pub(crate) fn records(rows: usize) -> Vec<Cell> {
    let mut numbers = Numbers(42);
    (0..rows)
        .flat_map(|_| FIELDS)
        .map(|(_, kind, nulls)| {
            if numbers.below(100) < nulls {
                Cell::Null
            } else {
                numbers.cell(kind)
            }
        })
        .collect()
}

/// Evenly spread numbers from a seed: `SplitMix64`.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn text(&mut self, length: u64, alphabet: &[u8]) -> String {
        (0..length)
            .map(|_| char::from(alphabet[self.below(alphabet.len() as u64) as usize]))
            .collect()
    }

    fn cell(&mut self, kind: Kind) -> Cell {
        const LETTERS: &[u8] = b"eeetaoinshrdlucmfwypvbgkjqxz   .-";
        const ID: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        match kind {
            Kind::Bool => Cell::Bool(self.below(4) == 0),
            Kind::Int => Cell::Int(self.below(90_000) as i32),
            Kind::Float => Cell::Float(self.below(180_000_000) as f64 / 1e6 - 90.0),
            Kind::Decimal => Cell::Decimal(self.below(1_000_000_000) as i64),
            Kind::Words(least, most) => {
                let length = u64::from(least) + self.below(u64::from(most - least) + 1);
                Cell::Text(self.text(length, LETTERS))
            }
            Kind::Digits(length) => Cell::Text(self.text(length.into(), &ID[..10])),
            Kind::Id => Cell::Text(self.text(18, ID)),
            Kind::Pick(choices) => Cell::Text(choices[self.below(choices.len() as u64) as usize].to_owned()),
            Kind::Date => Cell::Date(16_000 + self.below(4_000) as i32),
            Kind::Instant => Cell::Instant(1_400_000_000_000_000 + self.below(300_000_000_000_000) as i64),
        }
    }
}

/// What reading every cell comes to: the same for the same values in whatever order.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Sum(u64);

impl Sum {
    pub(crate) fn add(&mut self, number: u64) {
        self.0 = self.0.wrapping_add(number);
    }

    pub(crate) fn signed(&mut self, number: i64) {
        self.add(number.cast_unsigned());
    }

    pub(crate) fn float(&mut self, number: f64) {
        self.add(number.to_bits());
    }

    pub(crate) fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let ends = [bytes.first(), bytes.last()].map(|byte| u64::from(byte.copied().unwrap_or(0)));
        self.add(bytes.len() as u64 + ends[0] + (ends[1] << 8));
    }
}

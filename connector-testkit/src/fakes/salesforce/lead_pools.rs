//! Texts the leads are made of, and the values of their picklists.

/// Titles, with texts that a careless reader takes for null or for the end of the data.
pub(super) const TITLES: &[&str] = &[
    "VP, Sales",
    "CEO",
    "Head of \"Growth\"",
    "部長",
    "N/A",
    "null",
    "\\.",
    "NULL",
    "Ingénieur",
    "  CTO  ",
    "#N/A",
    "Chief 🦄 Officer",
    "true",
    "0",
    "\\N",
];
pub(super) const STREETS: &[&str] = &[
    "1 Main St",
    "12 Rue de l'Église\nBât. B",
    "千代田区1-1\r\n霞が関",
    "Unit 7, \"The Mill\"",
    "\t5 Tab Row",
];
pub(super) const CITIES: &[&str] = &["San Francisco", "Zürich", "東京", "São Paulo", "N/A", "Łódź"];
pub(super) const STATES: &[&str] = &["CA", "NY", "Tōkyō-to", "ZH"];
pub(super) const COUNTRIES: &[&str] = &["US", "Japan", "Côte d'Ivoire", "null", "Deutschland"];
pub(super) const SALUTATIONS: &[&str] = &["Mr.", "Ms.", "Mrs.", "Dr.", "Prof."];
pub(super) const SOURCES: &[&str] = &[
    "Web",
    "Phone Inquiry",
    "Partner Referral",
    "Purchased List",
    "Other",
];
pub(super) const STATUSES: &[&str] = &[
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Converted",
    "Closed - Not Converted",
];
pub(super) const INDUSTRIES: &[&str] = &["Agriculture", "Banking", "Food & Beverage", "Technology", "Other"];
pub(super) const RATINGS: &[&str] = &["Hot", "Warm", "Cold"];
pub(super) const ACCURACIES: &[&str] = &[
    "Address",
    "NearAddress",
    "Block",
    "Street",
    "Zip",
    "City",
    "Unknown",
];
pub(super) const CLEAN: &[&str] = &[
    "Matched",
    "Different",
    "Acknowledged",
    "NotFound",
    "Inactive",
    "Pending",
    "SelectMatch",
    "Skipped",
];
pub(super) const TIERS: &[&str] = &["007", "000", "01", "1", "042", "1e5", "0x1F"];

/// The values a picklist of Lead offers.
pub(super) fn choices(field: &str) -> &'static [&'static str] {
    match field {
        "Salutation" => SALUTATIONS,
        "LeadSource" => SOURCES,
        "Status" => STATUSES,
        "Industry" => INDUSTRIES,
        "Rating" => RATINGS,
        "GeocodeAccuracy" => ACCURACIES,
        "CleanStatus" => CLEAN,
        _ => &[],
    }
}

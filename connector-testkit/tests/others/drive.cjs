// jsforce against the fake org: drive.cjs URL USERNAME PASSWORD (with the security token behind it)
"use strict";

const assert = require("node:assert/strict");
const { createRequire } = require("node:module");
const [folder, url, username, password] = process.argv.slice(2);
const jsforce = createRequire(`${folder}/`)("jsforce");

async function main() {
    const conn = new jsforce.Connection({ loginUrl: url, version: "60.0" });
    await conn.login(username, password);
    assert.equal(conn.instanceUrl, url);

    // Looking inside
    const names = (await conn.describeGlobal()).sobjects.map((object) => object.name);
    assert.ok(names.includes("Invoice__c"));
    const lead = await conn.describe("Lead");
    assert.ok(lead.fields.some((field) => field.name === "LeadScore__c"));

    // Reading in pages
    const first = await conn.query("SELECT Id, Name FROM Lead");
    assert.deepEqual([first.totalSize, first.done, first.records.length], [25, false, 10]);
    const rows = await conn.query("SELECT Id, Name FROM Lead", { autoFetch: true, maxFetch: 100 });
    assert.equal(new Set(rows.records.map((row) => row.Id)).size, 25);
    await assert.rejects(conn.query("SELECT Id FROM Nope__c"), { errorCode: "INVALID_TYPE" });

    // One record at a time, and collections
    const made = await conn.sobject("Invoice__c").create({ Code__c: "js", Amount__c: 1.5 });
    assert.equal(made.success, true);
    assert.equal((await conn.sobject("Invoice__c").retrieve(made.id)).Amount__c, 1.5);
    const upserted = await conn.sobject("Invoice__c").upsert({ Code__c: "js", Amount__c: 2 }, "Code__c");
    assert.equal(upserted.success, true);
    const ids = rows.records.slice(0, 2).map((row) => row.Id);
    const updated = await conn.sobject("Lead").update(ids.map((Id) => ({ Id, Title: "Many" })));
    assert.deepEqual(updated.map((each) => each.success), [true, true]);
    const several = await conn.sobject("Lead").retrieve(ids);
    assert.deepEqual(several.map((each) => each.Title), ["Many", "Many"]);
    assert.equal((await conn.sobject("Invoice__c").destroy(made.id)).success, true);

    // Bulk API 2.0
    conn.bulk2.pollInterval = 10;
    const found = await (await conn.bulk2.query("SELECT Id, LastName FROM Lead")).toArray();
    assert.equal(found.length, 25);
    const results = await conn.bulk2.loadAndWaitForResults({
        object: "Lead",
        operation: "update",
        input: [{ Id: ids[0], Title: "Bulk" }, { Id: "00Q000000000000", Title: "x" }],
        pollInterval: 10,
    });
    assert.deepEqual([results.successfulResults.length, results.failedResults.length], [1, 1]);
    assert.match(results.failedResults[0].sf__Error, /^INVALID_CROSS_REFERENCE_KEY/);
    console.log("done");
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});

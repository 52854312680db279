"""simple-salesforce against the fake org, over HTTPS: drive.py URL USERNAME PASSWORD SECURITY_TOKEN"""

import sys

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceMalformedRequest

url, username, password, security_token = sys.argv[1:]


class Login(HTTPAdapter):
    """Takes what goes to the login host to the fake org: the client knows salesforce.com alone."""

    def send(self, request, **kwargs):
        request.url = request.url.replace("https://login.salesforce.com", url)
        return super().send(request, **kwargs)


def same(found, wanted):
    if found != wanted:
        raise AssertionError(f"{found!r} is not {wanted!r}")


session = requests.Session()
session.mount("https://login.salesforce.com", Login())
sf = Salesforce(username=username, password=password, security_token=security_token, session=session)
same(f"https://{sf.sf_instance}", url)

# Looking inside
names = [each["name"] for each in sf.describe()["sobjects"]]
assert "Lead" in names and "Invoice__c" in names, names
fields = {field["name"]: field for field in sf.Invoice__c.describe()["fields"]}
same(fields["Code__c"]["externalId"], True)

# Reading in pages
found = sf.query("SELECT Id, Name, Owner.Name FROM Lead")
same((found["totalSize"], found["done"], len(found["records"])), (25, False, 10))
rows = list(sf.query_all_iter("SELECT Id, Name, Owner.Name FROM Lead"))
same(len({row["Id"] for row in rows}), 25)
assert all(row["Owner"]["Name"] in ("Integration User", "Hugh Mann") for row in rows)
try:
    sf.query("SELECT Nope FROM Lead")
    raise AssertionError("a query of an unknown field went through")
except SalesforceMalformedRequest as error:
    same(error.content[0]["errorCode"], "INVALID_FIELD")

# One record at a time
made = sf.Invoice__c.create({"Code__c": "one", "Amount__c": 12.5})
same((made["success"], made["errors"]), (True, []))
same(sf.Invoice__c.get(made["id"])["Amount__c"], 12.5)
same(sf.Invoice__c.get_by_custom_id("Code__c", "one")["Id"], made["id"])
same(sf.Invoice__c.update(made["id"], {"Amount__c": 13}), 204)
same(sf.Invoice__c.upsert("Code__c/one", {"Amount__c": 14}), 200)
same(sf.Invoice__c.upsert("Code__c/two", {"Amount__c": 15}), 201)
same(sf.Invoice__c.delete(made["id"]), 204)

# Bulk API 2.0
found = list(sf.bulk2.Lead.query("SELECT Id, LastName FROM Lead"))
same(sum(page.count("\n00Q") + page.count('\n"00Q') for page in found), 25)
lead = rows[0]["Id"]
results = sf.bulk2.Lead.update(records=[{"Id": lead, "Title": "Bulk"}, {"Id": "00Q000000000000", "Title": "x"}])
same((results[0]["numberRecordsProcessed"], results[0]["numberRecordsFailed"]), (2, 1))
job = results[0]["job_id"]
assert "Bulk" in sf.bulk2.Lead.get_successful_records(job)
assert "INVALID_CROSS_REFERENCE_KEY" in sf.bulk2.Lead.get_failed_records(job)
same(sf.Lead.get(lead)["Title"], "Bulk")

# Collections
body = {"records": [{"attributes": {"type": "Lead"}, "id": lead, "Title": "Many"}]}
answer = sf.restful("composite/sobjects", method="PATCH", json=body)
same((answer[0]["success"], answer[0]["id"]), (True, lead))
same(sf.Lead.get(lead)["Title"], "Many")

assert sf.limits()["DailyApiRequests"]["Max"] > 0

# A session that is over is begun anew
sf.session_id = "00D!wrong"
sf.headers["Authorization"] = "Bearer 00D!wrong"
same(sf.query("SELECT COUNT() FROM Lead")["totalSize"], 25)
assert sf.session_id != "00D!wrong"
print("done")

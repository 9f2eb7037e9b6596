"""Looking and acting over HTTP: accounts, steps of a review, proofs, tags, what people and journal have in common."""

from hashlib import sha256

from msgspec.structs import replace

from gal_friday.domain.access import Role
from gal_friday.domain.policy import Mode
from gal_friday.domain.seal import is_included, leaf_hash
from tests.api.world import World


async def test_an_account_is_paused_and_goes_on_and_the_journal_has_who(here: World) -> None:
    schedules = here.service.opened.schedules
    here.app.state.backend = replace(here.app.state.backend, schedules=schedules)
    async with await here.as_(Role.APPROVER, "bob") as client:
        paused = (await client.post("/api/accounts/main/pause", json={"note": " the bot\r\nis being moved "})).json()
        assert (paused["paused"], paused["paused_by"], paused["next_run"]) == (True, "bob", None)
        assert paused["paused_because"] == "the bot\nis being moved"
        assert (await client.get("/api/accounts/main/vitals")).json()["schedule"]["paused_because"] != ""
        assert (await client.get("/api/reconciliation/status?account=main")).json()["next_run"] is None
        resumed = (await client.post("/api/accounts/main/resume")).json()
        assert (resumed["paused"], resumed["paused_by"], resumed["paused_because"]) == (False, "", "")
        assert (await client.get("/api/reconciliation/status")).json()["next_run"] == resumed["next_run"]
        facts = (await client.get("/api/journal?subject=main")).json()["entries"]
    told = [(fact["kind"], fact["actor"]["name"]) for fact in facts]
    assert ("runs_paused", "bob") in told
    assert [fact["body"] for fact in facts if fact["kind"] == "runs_paused"] == [{"note": "the bot\nis being moved"}]
    assert ("runs_resumed", "bob") in told
    planned = await schedules.one("main")
    assert planned is not None
    assert not planned.is_paused


async def test_where_nothing_is_scheduled_nothing_is_paused(here: World) -> None:
    async with await here.as_() as client:
        answer = await client.post("/api/accounts/main/pause")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:gal-friday:problem:no-schedule")


async def test_an_account_tells_what_its_last_run_saw(here: World) -> None:
    async with await here.as_(Role.VIEWER) as client:
        account = (await client.get("/api/accounts/main")).json()
    assert (account["verdict"], account["book"], account["last_complete"]) == ("discrepancies", "embedded", None)
    assert account["coverage"] == {
        "balances": True,
        "positions": True,
        "orders": False,
        "fills": True,
        "movements": True,
        "holds": False,  # the exchange speaks of them, and the book does not
    }
    assert account["open_discrepancies"] == 5


async def test_a_repair_is_proposed_by_one_and_approved_by_another(here: World) -> None:  # I11
    await here.reconciled()
    await here.reconciled(mode=Mode.PROPOSE)
    (adjustment,) = [one for one in await here.service.opened.adjustments.adjustments() if one.adjustment.effects]
    name = adjustment.adjustment.discrepancies[0]
    async with await here.as_(Role.APPROVER, "alice") as alice, await here.as_(Role.APPROVER, "bob") as bob:
        assigned = await alice.post(f"/api/discrepancies/{name}/assign", json={"assignee": "bob"})
        assert assigned.json()["review"]["assignee"] == "bob"
        turned = await alice.post(f"/api/adjustments/{adjustment.id}/reject", json={"reason": "wrong_repair"})
        assert turned.json()["state"] == "rejected"
        approved = await bob.post(f"/api/adjustments/{adjustment.id}/approve")
        assert approved.status_code == 409
        shown = (await bob.get(f"/api/discrepancies/{name}")).json()
    assert [one["state"] for one in shown["adjustments"]] == ["rejected"]
    assert [one["action"] for one in shown["review_changes"]] == ["assign", "reject"]


async def test_who_took_a_repair_back_may_not_approve_that(here: World) -> None:  # I11
    await here.reconciled(mode=Mode.PROPOSE)
    (adjustment,) = [one for one in await here.service.opened.adjustments.adjustments() if one.adjustment.effects]
    async with await here.as_(Role.APPROVER, "alice") as alice, await here.as_(Role.APPROVER, "bob") as bob:
        assert (await alice.post(f"/api/adjustments/{adjustment.id}/approve")).json()["state"] == "applied"
        undo = (await alice.post(f"/api/adjustments/{adjustment.id}/undo")).json()
        assert (undo["state"], undo["reverses"]) == ("proposed", adjustment.id)
        refused = await alice.post(f"/api/adjustments/{undo['adjustment_id']}/approve")
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:gal-friday:problem:same-person")
        assert (await bob.post(f"/api/adjustments/{undo['adjustment_id']}/approve")).json()["state"] == "applied"


async def test_an_entry_is_proven_without_trusting_this_program(here: World) -> None:
    async with await here.as_() as client:
        proof = (await client.get("/api/journal/7/proof")).json()
        entry = await client.get("/api/journal/7")
    assert entry.content == proof["entry"].encode()
    path, root = [bytes.fromhex(step) for step in proof["path"]], bytes.fromhex(proof["signed"]["head"]["root"])
    leaf = leaf_hash(entry.content)
    assert is_included(leaf, proof["index"], proof["size"], path, root)
    assert not is_included(sha256(b"another").digest(), proof["index"], proof["size"], path, root)


async def test_what_was_stored_is_sent_once_and_what_changes_is_never_kept(here: World) -> None:
    async with await here.as_() as client:
        for path in ("/api/reconciliation/status", "/api/reports", "/api/discrepancies", "/api/journal", "/api/policy"):
            first = await client.get(path)
            again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b""), path
            assert again.headers["etag"] == first.headers["etag"]
            other = await client.get(path, headers={"If-None-Match": '"another"'})
            assert (other.status_code, other.content) == (200, first.content)
        tag = {"If-None-Match": (await client.get("/api/reconciliation/status")).headers["etag"]}
        await here.reconciled()
        assert (await client.get("/api/reconciliation/status", headers=tag)).status_code == 200
        for path in ("/api/accounts", "/api/gate/main/BTC/USD", "/api/book/main", "/healthz"):
            answer = await client.get(path)
            assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False), path

//! Invitations to families.

use super::family::Home;
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_is_for_one_user_and_one_family() {
    let home = Home::of("4", json!({ "familySize": 2 })).await;
    let Home { school, uma, membership } = &home;
    let invite = |email: &str| json!({ "membershipId": membership, "email": email });
    for (user, email, code) in [
        (&school.tim, "uma@people.example", "NOT_FOUND"),
        (&school.sam, "SAM@people.example", "NOT_ALLOWED"),
        (&school.sam, "nowhere", "INVALID"),
        (&school.sam, " ", "BLANK"),
    ] {
        assert_eq!(school.error(Some(user), "inviteFamilyMember", invite(email)).await.0, code, "{email}");
    }
    let code = school.invite(&school.sam, membership, "uma").await;
    // Again, and of an address without an account, which is invited alike: there is no room.
    for (email, outcome) in [("uma@people.example", ""), ("nobody@people.example", "OUT_OF_RANGE")] {
        assert_eq!(school.error(Some(&school.sam), "inviteFamilyMember", invite(email)).await.0, outcome);
    }
    school.settle().await;
    assert!(school.app.mails.lock().unwrap().is_empty(), "an address is mailed once a day");
    let join = json!({ "token": code });
    let revoke = invite("uma@people.example");
    assert_eq!(school.error(Some(&school.sam), "revokeFamilyInvitation", revoke.clone()).await.0, "");
    assert_eq!(school.error(Some(&school.sam), "revokeFamilyInvitation", revoke.clone()).await.0, "NOT_FOUND");
    assert_eq!(school.error(Some(uma), "joinFamily", join.clone()).await.0, "EXPIRED");
    let stranger = school.invite(&school.sam, membership, "nobody").await;
    school.app.sql("UPDATE plans SET family_size = 1").await;
    assert_eq!(school.error(Some(&school.sam), "joinFamily", json!({ "token": stranger })).await.0, "NOT_ALLOWED");
    assert_eq!(school.error(Some(&school.tim), "joinFamily", json!({ "token": stranger })).await.0, "OUT_OF_RANGE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_works_once_for_two_weeks_and_not_beside_hours_of_ones_own() {
    let home = Home::of("4", json!({ "familySize": 3 })).await;
    let Home { school, uma, membership } = &home;
    let code = school.invite(&school.sam, membership, "uma").await;
    assert_eq!(school.error(Some(&school.tim), "joinFamily", json!({ "token": code })).await.0, "NOT_ALLOWED");
    for wrong in ["", "nothing", &code[..code.len() - 4]] {
        assert_eq!(school.error(Some(uma), "joinFamily", json!({ "token": wrong })).await.0, "EXPIRED");
    }
    // Of many requests with one code, one joins.
    let vic = school.app.user("Vic", Role::Student).await;
    let join = |user| school.error(Some(user), "joinFamily", json!({ "token": code }));
    school.app.app.clock.advance(TimeDelta::minutes(1));
    let (one, two) = tokio::join!(join(uma), join(&vic));
    let mut codes = [one.0, two.0];
    codes.sort();
    assert_eq!(codes, ["", "EXPIRED"]);
    assert!(home.members(&school.sam).await.starts_with("Tim "));
    let late = school.invite(&school.sam, membership, "wim").await;
    school.app.sql("UPDATE family_invitations SET expires_at = sent_at").await;
    let wim = school.app.user("Wim", Role::Student).await;
    assert_eq!(school.error(Some(&wim), "joinFamily", json!({ "token": late })).await.0, "EXPIRED");
    // Wim has a membership of his own.
    let price = school.plan("Basic", "4", "30").await;
    let own = school.subscribe(&wim, &price, "30").await;
    school.app.app.clock.advance(TimeDelta::minutes(1));
    school.app.sql("DELETE FROM family_invitations").await;
    let code = school.invite(&school.sam, membership, "wim").await;
    assert_eq!(school.error(Some(&wim), "joinFamily", json!({ "token": code })).await.0, "NOT_ALLOWED");
    // His plan has no family, and Tim is not Sam.
    let to = |membership: &String| json!({ "membershipId": membership, "email": "x@people.example" });
    assert_eq!(school.error(Some(&wim), "inviteFamilyMember", to(&own)).await.0, "NOT_ALLOWED");
    let gone = json!({ "membershipId": membership, "userId": wim.id });
    assert_eq!(school.error(Some(&school.sam), "removeFamilyMember", gone.clone()).await.0, "NOT_FOUND");
    assert_eq!(school.error(Some(&school.tim), "removeFamilyMember", gone).await.0, "NOT_FOUND");
    assert_eq!(school.error(Some(&wim), "leaveFamily", json!({ "ownerId": school.sam.id })).await.0, "NOT_FOUND");
}

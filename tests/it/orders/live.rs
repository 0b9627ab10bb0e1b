//! What the buyer's screen follows.

use super::*;
use crate::support::socket::Socket;

const FOLLOW: &str = "subscription ($id: ID!, $after: String) {
    orderChanged(orderId: $id, after: $after) { cursor isStart order { status checkoutUrl } } }";

async fn next(socket: &mut Socket) -> Value {
    let mut message = socket.receive().await.unwrap();
    assert_eq!(message["type"], "next", "{message:#}");
    message["payload"]["data"]["orderChanged"].take()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_buyer_follows_their_order() {
    let shop = Shop::open().await;
    let order = shop.order(&shop.sam).await;
    shop.settle().await;
    let mut socket = Socket::connect(&shop.app.url, Some(&shop.sam.token)).await;
    socket.subscribe("x", FOLLOW, json!({ "id": order["id"] })).await;
    let start = next(&mut socket).await;
    assert_eq!((&start["isStart"], &start["order"]["status"]), (&json!(true), &json!("PENDING")));
    shop.act(&order, "pay").await;
    let paid = next(&mut socket).await;
    assert_eq!((&paid["isStart"], &paid["order"]["status"]), (&json!(false), &json!("PAID")));
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    assert_eq!(next(&mut socket).await["order"]["status"], "REFUNDED");
    // After a disconnect, what was missed comes next.
    let mut again = Socket::connect(&shop.app.url, Some(&shop.sam.token)).await;
    again.subscribe("x", FOLLOW, json!({ "id": order["id"], "after": paid["cursor"] })).await;
    assert_eq!(next(&mut again).await["isStart"], true);
    assert_eq!(next(&mut again).await["isStart"], false);
    // Others do not.
    let mut foreign = Socket::connect(&shop.app.url, Some(&shop.tim.token)).await;
    foreign.subscribe("x", FOLLOW, json!({ "id": order["id"] })).await;
    let message = foreign.receive().await.unwrap();
    assert!(message.to_string().contains("NOT_FOUND"), "{message:#}");
}

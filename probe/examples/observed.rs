//! A small service to look at, with the one line that makes it visible.
//!
//! ```sh
//! cargo run -p loopview-probe --example observed
//! loopview attach                # in a second terminal
//! tokio-console                  # in a third one: both may watch at the same time
//! ```

use std::time::Duration;

use tokio::{
    sync::{Mutex, mpsc},
    task::Builder,
    time::sleep,
};

fn main() -> std::io::Result<()> {
    loopview_probe::init();

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve())
}

async fn serve() -> std::io::Result<()> {
    let (orders, mut kitchen) = mpsc::channel(4);
    let till = std::sync::Arc::new(Mutex::new(0_u32));
    for table in 1..=3_u32 {
        let (orders, till) = (orders.clone(), std::sync::Arc::clone(&till));
        Builder::new()
            .name(&format!("table {table}"))
            .spawn(async move {
                loop {
                    sleep(Duration::from_millis(400) * table).await;
                    if orders.send(table).await.is_err() {
                        return;
                    }
                    *till.lock().await += table;
                }
            })?;
    }
    println!("loopview attach, or tokio-console; Ctrl-C ends this");
    while let Some(table) = kitchen.recv().await {
        // What blocks belongs on a thread of its own.
        let cook = move || std::thread::sleep(Duration::from_millis(50));
        tokio::task::spawn_blocking(cook).await?;
        println!("table {table} is served");
    }
    Ok(())
}

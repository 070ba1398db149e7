use loopview_workloads::aio::{self, Config, ContextVar};

use crate::notes::sleep;

static TABLE: ContextVar<u32> = ContextVar::new();
static GUEST: ContextVar<String> = ContextVar::new();

#[test]
fn a_task_and_a_thread_have_copies() {
    let seen = aio::run(&Config::paused(), async {
        TABLE.set(1);
        let child = aio::create_task(async {
            sleep(100).await?;
            let before = TABLE.get();
            TABLE.set(2);
            let thread = aio::to_thread(|| {
                TABLE.set(TABLE.get().unwrap() + 1);
                Ok(TABLE.get())
            });
            Ok([before, thread.await?, TABLE.get()])
        });
        TABLE.set(9);
        let seen = child.await?;
        Ok((seen, TABLE.get()))
    });
    assert_eq!(seen.unwrap(), ([Some(1), Some(3), Some(2)], Some(9)));
}

#[test]
fn nobody_has_set_it() {
    assert_eq!(GUEST.get(), None);
    let inside = aio::run(&Config::paused(), async { Ok(GUEST.get()) });
    assert_eq!(inside.unwrap(), None);
}

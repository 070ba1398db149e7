use loopview_workloads::aio::{self, Config};
fn main() {
    aio::run(&Config::default(), async {
        let t = std::time::Instant::now();
        for number in 0..6_000_000 {
            aio::create_task(async move { Ok(number) }).await?;
        }
        println!("{:?}", t.elapsed() / 6_000_000);
        Ok(())
    })
    .unwrap();
}

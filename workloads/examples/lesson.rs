//! Runs one lesson without the dashboard: `cargo run --example lesson -- gather 0.5`.

use loopview_workloads::{Settings, aio, find};

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().ok_or("name a lesson")?;
    let scale = args.next().map_or(Ok(1.0), |scale| scale.parse())?;
    let workload = find(&name).ok_or("no such lesson")?;
    let config = aio::Config {
        scale,
        ..aio::Config::default()
    };
    workload.run(&config, Settings::defaults(workload))?;
    Ok(())
}

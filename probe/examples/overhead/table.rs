//! Figures side by side, with what was added and ratios.

pub struct Table(Vec<(String, [f64; 3])>);

impl Table {
    pub fn new() -> Self {
        println!(
            "{:<30} {:>10} {:>20} {:>12} {:>16} {:>12} {:>12}",
            "", "bare", "console-subscriber", "probe", "added by c.-s.", "by probe", "ratio"
        );
        Self(Vec::new())
    }

    pub fn line(&mut self, what: &str, unit: &str, measured: &[f64; 3]) {
        self.0.push((format!("{what} ({unit})"), *measured));
    }

    pub fn print(self) {
        for (what, [bare, console, probe]) in self.0 {
            let (by_console, by_probe) = (console - bare, probe - bare);
            println!(
                "{what:<30} {bare:>10.0} {console:>20.0} {probe:>12.0} {by_console:>16.0} \
                 {by_probe:>12.0} {:>12}",
                format!("1/{:.1}", by_console / by_probe)
            );
        }
    }
}

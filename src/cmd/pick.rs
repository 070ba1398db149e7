//! `loopview` alone: pick a lesson, watch it, and pick the next.

use std::{io::IsTerminal, process::ExitCode};

use crossterm::event::{Event, KeyEventKind};

use super::{run, sources, watch::Signals};
use crate::{
    app,
    cli::{Format, WorkloadOptions},
    config::Wishes,
    error::{Error, exit},
    model::lint::Thresholds,
    recording::Limits,
    target::launch,
    term::Screen,
    view::{
        Lesson, Mouse,
        picker::{self, Item, Picked, Picker},
    },
};

/// Off a terminal it lists the lessons.
pub fn execute(wishes: &Wishes) -> Result<ExitCode, Error> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return super::list::execute(Format::Text);
    }
    let items = loopview_workloads::all().iter().map(|w| Item {
        name: w.name,
        group: w.group,
        summary: w.summary,
        shows: w.shows,
        page: super::page(w, wishes.lang),
    });
    let mut picker = Picker::new(items.collect(), wishes.view.clone());
    super::runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let mut screen = Screen::open(wishes.mouse).map_err(Error::Terminal)?;
        while let Picked::Lesson(item) = pick(&mut screen, &mut picker, &mut signals).await? {
            let (target, what) = run::workload(item.name, &WorkloadOptions::default())?;
            let start = async || launch(&what);
            let options = app::Options {
                view: wishes.view.clone(),
                complaint: wishes.complaint.clone(),
                limit: None,
                history: Limits::default(),
                record: None,
                sources: sources::of(&target, None),
                lesson: Some(Lesson {
                    page: item.page,
                    open: picker.is_reading(),
                }),
                thresholds: Thresholds::default(),
            };
            let source = launch(&what)?;
            let run = app::run(&mut screen, &target, &options, None, source, start);
            let watched = Box::pin(run).await?;
            watched.source.stopped().await;
        }
        drop(screen);
        super::complain(wishes);
        Ok(ExitCode::from(exit::OK))
    })
}

async fn pick(
    screen: &mut Screen,
    picker: &mut Picker,
    signals: &mut Signals,
) -> Result<Picked, Error> {
    loop {
        let drawn = screen.draw(|frame| picker::draw(frame, picker));
        picker.resize(drawn.map_err(Error::Terminal)?);
        let event = tokio::select! {
            event = screen.event() => event,
            () = signals.any() => None,
        };
        let Some(event) = event else {
            return Ok(Picked::Quit);
        };
        if let Some(picked) = react(picker, &event) {
            return Ok(picked);
        }
    }
}

fn react(picker: &mut Picker, event: &Event) -> Option<Picked> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            let action = picker.options.keys.action(*key, picker.context())?;
            picker.act(action)
        }
        Event::Mouse(event) => picker.mouse(Mouse::from_event(*event)?),
        Event::Paste(text) => {
            picker.insert(text);
            None
        }
        _ => None,
    }
}

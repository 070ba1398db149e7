//! `loopview export FILE --to cast|cast3|svg`: the screen itself, as the player draws it.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use super::{export::Output, sources};
use crate::{
    cli::{Color, Export, Form, Look},
    config,
    error::Error,
    frame::Target,
    player::{self, Options, Player},
    recording::Recording,
    script::Script,
    sink::{
        asciicast::{About, Cast, Version},
        palette,
        svg::{self, Film},
    },
    view::{self, ColorLevel, theme::ThemeName},
};

/// More would make a file that no viewer likes.
const MOST_PICTURES: usize = 2_000;
/// No script is longer.
const MAX_SCRIPT: u64 = 1 << 20;

/// Reads the keys script, or makes the one that shows all. What cannot be is told.
pub(super) fn script(options: &Export) -> Result<Script, Error> {
    let shown = &options.screen;
    let screen = matches!(options.to, Form::Cast | Form::Cast3 | Form::Svg);
    let wrong = match options.to {
        _ if !screen && shown.keys.is_some() => Some("--keys is for cast, cast3 and svg"),
        Form::Svg => None,
        _ if shown.at.is_some() => Some("--at is for svg"),
        _ if shown.animated => Some("--animated is for svg"),
        _ => None,
    };
    if let Some(problem) = wrong {
        return Err(Error::Usage {
            problem: problem.to_owned(),
            command: "loopview export".to_owned(),
        });
    }
    match &shown.keys {
        Some(path) => Script::parse(&read(path)?).map_err(Error::Keys),
        None if moment(options).is_some() => Ok(Script::default()),
        None => Ok(Script::whole()),
    }
}

/// The moment that a single picture shows. None if it is to be played up to.
fn moment(options: &Export) -> Option<Duration> {
    let shown = &options.screen;
    let is_end = options.to == Form::Svg && !shown.animated && shown.keys.is_none();
    shown.at.or(is_end.then_some(Duration::MAX))
}

fn read(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let file = File::open(path);
    let read = file.and_then(|file| file.take(MAX_SCRIPT + 1).read_to_string(&mut text));
    let read = match read {
        Ok(bytes) if bytes as u64 > MAX_SCRIPT => Err(io::Error::other("it is too long")),
        read => read,
    };
    read.map_err(|error| {
        let path = path.display().to_string();
        Error::KeysUnreadable { path, error }
    })?;
    Ok(text)
}

/// Plays the script before the recording, and writes what is seen.
pub(super) fn write(
    options: &Export,
    recording: &Recording,
    script: Script,
    look: &Look,
    to: &mut Output,
) -> Result<(), Error> {
    let target = recording.history.target();
    let sources = sources::of(&target, None);
    let shown = player_options(options, &target, look);
    let player = Player::new(recording.history.clone(), script, &shown, &sources);
    let mut player = player.map_err(|error| unplayable(&options.file, error))?;
    let paper = match look.theme {
        Some(ThemeName::Light) => &palette::LIGHT,
        _ => &palette::DARK,
    };
    let created = recording.header.created_at.as_ref();
    let about = About {
        title: format!("loopview: {}", target.name),
        recorded_at: created.map(|at| at.seconds),
        paper,
    };
    match options.to {
        Form::Cast3 => cast(Version::V3, &about, options, &mut player, to),
        Form::Svg if options.screen.animated => film(&about, options, &mut player, to),
        Form::Svg => {
            while advance(&mut player, options)? {}
            to.write(&svg::still(&about.title, player.screen(), about.paper))
        }
        _ => cast(Version::V2, &about, options, &mut player, to),
    }
}

/// What is asked for, whatever the terminal is that it is asked on: it is not drawn there.
fn player_options(options: &Export, target: &Target, look: &Look) -> Options {
    let moment = moment(options);
    let options = &options.screen;
    let color = match look.color {
        Color::Never => ColorLevel::None,
        Color::Auto | Color::Always => ColorLevel::Ansi256,
    };
    let lang = config::language(look.lang, |name| std::env::var(name).ok());
    Options {
        view: view::Options {
            color,
            unicode: !look.ascii,
            theme: look.theme.unwrap_or_default(),
            // A person's own configuration would make other pictures elsewhere.
            ..view::Options::default()
        },
        lesson: super::lesson(target, lang, false),
        size: options.size,
        from: moment.unwrap_or(options.from),
        speed: moment.is_none().then_some(options.speed),
        rate: options.rate,
        idle_limit: options.idle_limit,
    }
}

fn advance(player: &mut Player<'_>, options: &Export) -> Result<bool, Error> {
    player
        .advance()
        .map_err(|error| unplayable(&options.file, error))
}

fn unplayable(path: &Path, error: player::Error) -> Error {
    match error {
        player::Error::Recording(error) => Error::recording(path, error),
        player::Error::Script(error) => Error::Unplayable(error),
    }
}

fn cast(
    version: Version,
    about: &About,
    options: &Export,
    player: &mut Player<'_>,
    to: &mut Output,
) -> Result<(), Error> {
    let mut text = String::new();
    let mut cast = Cast::begin(version, about, player.screen(), &mut text);
    while !to.closed && advance(player, options)? {
        cast.picture(player.time(), player.screen(), &mut text);
        to.write(&text)?;
        text.clear();
    }
    cast.end(player.time(), &mut text);
    to.write(&text)
}

fn film(
    about: &About,
    options: &Export,
    player: &mut Player<'_>,
    to: &mut Output,
) -> Result<(), Error> {
    let mut film = Film::new(about.paper);
    while advance(player, options)? {
        if film.pictures() == MOST_PICTURES {
            return Err(Error::Usage {
                problem: format!(
                    "a film has at most {MOST_PICTURES} pictures: \
                     show less by --keys, or fewer a second by --rate"
                ),
                command: "loopview export".to_owned(),
            });
        }
        film.picture(player.time(), player.screen());
    }
    to.write(&film.end(&about.title, player.screen(), player.time()))
}

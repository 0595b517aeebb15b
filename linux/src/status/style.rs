//! Colours.

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    Plain,
    /// With ANSI colours.
    Colour,
}

#[derive(Clone, Copy)]
pub(super) enum Tone {
    Good,
    Poor,
    Bad,
    Dim,
}

impl Style {
    /// Colours on a terminal that has them, unless `NO_COLOR` is set (no-color.org).
    #[must_use]
    pub fn of_stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if super::is_screen() && !refused {
            Self::Colour
        } else {
            Self::Plain
        }
    }

    /// Pads first: escape codes have no width.
    pub(super) fn paint(self, text: &str, width: usize, tone: Tone) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Poor => "33",
            Tone::Bad => "31",
            Tone::Dim => "2",
        };
        match self {
            Self::Plain => format!("{text:<width$}"),
            Self::Colour => format!("\x1b[{code}m{text:<width$}\x1b[0m"),
        }
    }
}

pub(super) fn tone(word: &str) -> Tone {
    match word {
        "active" | "held" | "up" => Tone::Good,
        "dead" | "failed" | "stuck" | "error" => Tone::Bad,
        "released" | "stopped" | "info" => Tone::Dim,
        _ => Tone::Poor,
    }
}

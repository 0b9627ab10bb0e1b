//! Writes CSV (RFC 4180) that spreadsheets open without harm.
//!
//! A text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return would be a formula in a spreadsheet; it gets an
//! apostrophe in front (OWASP, CSV Injection). Numbers and times of this program are written as they are.

/// A cell of a row.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// A text, which users may have written.
    Text(&'a str),
    /// A number or a time that this program has written.
    Plain(&'a str),
}

/// Appends a row to `out`.
pub fn write_row(out: &mut String, cells: &[Cell<'_>]) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        match cell {
            Cell::Plain(text) => out.push_str(text),
            Cell::Text(text) => {
                out.push('"');
                if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                    out.push('\'');
                }
                out.push_str(&text.replace('"', "\"\""));
                out.push('"');
            }
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_never_a_formula() {
        let mut out = String::new();
        write_row(&mut out, &[Cell::Text("=1+1"), Cell::Plain("-19.90"), Cell::Text("a \"b\", c")]);
        write_row(&mut out, &[Cell::Text("@x"), Cell::Text("+1"), Cell::Text("-1")]);
        write_row(&mut out, &[Cell::Text("\t=1"), Cell::Text("\r=1"), Cell::Text("two\nlines")]);
        let expected =
            "\"'=1+1\",-19.90,\"a \"\"b\"\", c\"\r\n\"'@x\",\"'+1\",\"'-1\"\r\n\"'\t=1\",\"'\r=1\",\"two\nlines\"\r\n";
        assert_eq!(out, expected);
    }
}

//! Reads PDF documents.

use std::io::Write;
use std::process::{Command, Stdio};

/// What a PDF says, as Poppler reads it: in the order in which it was written.
pub(crate) fn text_of(pdf: &[u8]) -> String {
    let mut command = Command::new("pdftotext");
    let mut reader =
        command.args(["-raw", "-", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("pdftotext");
    reader.stdin.take().unwrap().write_all(pdf).unwrap();
    let read = reader.wait_with_output().unwrap();
    assert!(read.status.success());
    String::from_utf8(read.stdout).unwrap()
}

//! A mail server.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A server that takes mail for all but `nobody…@…`, for `later…@…` not at the first time, from users who know the password.
pub(crate) struct SmtpServer {
    pub(crate) port: u16,
    /// The commands, and the lines of each mail.
    heard: Arc<Mutex<Vec<String>>>,
}

impl SmtpServer {
    /// Takes `pause` to accept a mail.
    pub(crate) async fn start(pause: Duration) -> SmtpServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = heard.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let log = log.clone();
                tokio::spawn(async move { converse(socket, &log, pause).await });
            }
        });
        SmtpServer { port, heard }
    }

    /// What was said, in order.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// The recipients and Message-IDs of the mails that were accepted.
    pub(crate) fn accepted(&self) -> Vec<(String, String)> {
        let lines = self.heard();
        let mails = lines.iter().filter_map(|line| line.strip_prefix("taken: ")?.split_once(' '));
        mails.map(|(to, id)| (to.to_owned(), id.to_owned())).collect()
    }
}

async fn converse(socket: TcpStream, heard: &Mutex<Vec<String>>, pause: Duration) -> std::io::Result<()> {
    let (reader, mut writer) = socket.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 test\r\n").await?;
    let (mut in_data, mut to, mut id) = (false, String::new(), String::new());
    while let Some(line) = lines.next_line().await? {
        heard.lock().unwrap().push(line.clone());
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        if let Some(found) = line.strip_prefix("Message-ID: ").filter(|_| in_data) {
            found.clone_into(&mut id);
        }
        let answer = match verb.as_str() {
            _ if in_data && line != "." => continue,
            _ if in_data => {
                in_data = false;
                tokio::time::sleep(pause).await;
                heard.lock().unwrap().push(format!("taken: {to} {id}"));
                "250 taken"
            }
            "EHLO" => "250-test\r\n250 AUTH PLAIN",
            // base64 of "\0user\0p@ss"
            "AUTH" if line == "AUTH PLAIN AHVzZXIAcEBzcw==" => "235 welcome",
            "AUTH" => "535 wrong",
            "RCPT" if line.contains("<nobody") => "550 no such user",
            "RCPT"
                if line.contains("<later") && heard.lock().unwrap().iter().filter(|old| **old == line).count() == 1 =>
            {
                "451 greylisted"
            }
            "RCPT" => {
                line["RCPT TO:".len()..].trim_matches(['<', '>']).clone_into(&mut to);
                "250 ok"
            }
            "DATA" => {
                in_data = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

//! Commands for access, playback, progress and certificates.

mod access;
mod audience;
mod bulk;
mod certificate;
mod certificate_pdf;
mod playback;
mod progress;
mod students;

pub(super) use access::{EXPIRE, expire, expire_due, forget_user, revoke};
pub use access::{enroll, grant, import, my_data};
pub use audience::active_courses;
pub(super) use bulk::{grant_users, revoke_users};
pub use certificate::{CertificateFile, CertificateFormat, certificate_file};
pub(super) use certificate::{
    certificate_by_code, certificate_pdf_url, certificate_url, revoke_certificate, set_certificate_visibility,
    shows_name,
};
pub use playback::{Piece, Rejection, piece};
pub(super) use playback::{SILENCE, keep_playing, play};
pub use progress::import_progress;
pub(super) use progress::{save_progress, set_lesson_completed};
pub use students::students_after;

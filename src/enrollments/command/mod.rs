//! Commands for access, playback, progress and certificates.

mod access;
mod audience;
mod bulk;
mod certificate;
mod certificate_pdf;
mod playback;
mod progress;
mod students;

pub use access::revoke;
pub(crate) use access::{EXPIRE, expire, expire_due, forget_user};
pub use access::{enroll, grant, import, my_data};
pub use audience::active_courses;
pub use bulk::{grant_users, revoke_users};
pub use certificate::{CertificateFile, CertificateFormat, certificate_file};
pub use certificate::{
    certificate_by_code, certificate_pdf_url, certificate_url, revoke_certificate, set_certificate_visibility,
    shows_name,
};
pub(crate) use playback::SILENCE;
pub use playback::{Piece, Rejection, piece};
pub use playback::{keep_playing, play};
pub use progress::import_progress;
pub use progress::{save_progress, set_lesson_completed};
pub use students::students_after;

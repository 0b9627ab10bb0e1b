//! The events of enrollments.

use serde::{Deserialize, Serialize};

use super::model::CertificateId;
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::platform::outbox::Event;

/// A user has completed a course and has got its certificate: once per user and course.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CertificateIssued {
    /// The certificate.
    pub certificate_id: CertificateId,
    /// Its holder.
    pub user_id: UserId,
    /// The course.
    pub course_id: CourseId,
}

impl Event for CertificateIssued {
    const KIND: &'static str = "certificate_issued";
}

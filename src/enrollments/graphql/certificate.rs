//! Certificates in the schema.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::mutation::{LEARNER, learner};
use crate::accounts::{can_see_private, viewer};
use crate::catalog::{CourseObject, course_node};
use crate::enrollments::command;
use crate::enrollments::loader::{CertificateById, CertificateCount, CertificateOf, CertificatePage};
use crate::enrollments::model::{
    Certificate, CertificateId, Enrollment, RevokeCertificateInput, SetCertificateVisibilityInput,
};
use crate::graphql::context::{actor, app, client, loaders, viewer_loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, public, requires, scoped};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, PageArgs, Requires, Result, Scoped, Sequential, UserError};

/// The name of the list of the viewer's certificates in its cursors.
const OWN: &str = "certificates";

/// A certificate in the schema.
#[derive(Clone)]
pub(super) struct CertificateObject(Arc<Certificate>);

/// That somebody has completed a course. It is issued once, when all lessons are completed, and stays when lessons are
/// added.
#[Object(name = "Certificate")]
impl CertificateObject {
    /// The id of the certificate.
    async fn id(&self) -> CertificateId {
        self.0.id
    }

    /// The code by which everybody can verify it: 12 letters and digits.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// What the holder was called when it was issued; null unless the holder lets everybody see it, or is the viewer.
    async fn holder_name(&self, ctx: &Context<'_>) -> Option<&str> {
        let viewer = within(ctx, Scope::ReadLearning);
        command::shows_name(viewer, &self.0).then_some(self.0.holder_name.as_str())
    }

    /// The course; null if it is not visible to the viewer.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        let Some(id) = self.0.course_id else { return Ok(None) };
        Ok(course_node(ctx, id).await?.map(Sequential))
    }

    /// What the course was called when the certificate was issued.
    async fn course_title(&self) -> &str {
        &self.0.course_title
    }

    /// When it was issued.
    async fn issued_at(&self) -> DateTime<Utc> {
        self.0.issued_at
    }

    /// When it was revoked; null while it is valid.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }

    /// The URL of its picture (SVG). Without the holder's session, the picture has the name only if `isPublic`.
    async fn url(&self, ctx: &Context<'_>) -> String {
        command::certificate_url(app(ctx), &self.0)
    }

    /// The URL of it as a document to print (PDF), with the same content as the picture. Null if it has characters that
    /// are neither Latin, Greek nor Cyrillic, which the document's typeface lacks.
    async fn pdf_url(&self, ctx: &Context<'_>) -> Option<String> {
        command::certificate_pdf_url(app(ctx), within(ctx, Scope::ReadLearning), &self.0)
    }

    /// Whether everybody who has the code may see the holder's name.
    async fn is_public(&self) -> bool {
        self.0.is_public
    }
}

/// Returns a certificate to its holder and to administrators. Others need the code.
pub(super) async fn certificate_node(ctx: &Context<'_>, id: CertificateId) -> Result<Option<CertificateObject>> {
    let viewer = within(ctx, Scope::ReadLearning);
    let row = loaders(ctx).load(CertificateById(id)).await?;
    Ok(row.filter(|row| can_see_private(viewer, row.user_id)).map(CertificateObject))
}

/// Returns the certificate of an enrollment.
pub(super) async fn certificate_of(
    ctx: &Context<'_>,
    row: &Enrollment,
) -> Result<Option<Sequential<CertificateObject>>> {
    let found = viewer_loaders(ctx).load(CertificateOf(row.user_id, row.course_id)).await?;
    Ok(found.map(|row| Sequential(CertificateObject(row))))
}

/// The certificates of the viewer.
#[derive(Default)]
pub(super) struct ViewerCertificates;

#[Object]
impl ViewerCertificates {
    /// The user's certificates, latest first, with those that were revoked.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadLearning)",
        directive = scoped::apply(Role::Student, Scope::ReadLearning)
    )]
    async fn certificates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<CertificateObject>>>> {
        let user = viewer(within(ctx, Scope::ReadLearning))?;
        let page = PageArgs { first, after, last, before }.timed_page(OWN)?;
        let rows = loaders(ctx).load(CertificatePage(user, page.clone())).await?.unwrap_or_default();
        let cursor = |CertificateObject(row): &CertificateObject| {
            encode_cursor(OWN, &(row.issued_at.timestamp_micros(), row.id.uuid()))
        };
        let connection = page.connection(rows, CertificateObject, cursor);
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(CertificateCount(user)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// The certificate queries.
#[derive(Default)]
pub(super) struct CertificateQuery;

#[Object]
impl CertificateQuery {
    /// The certificate with this code, to verify it: also one that was revoked. Null if there is none.
    #[graphql(directive = public::apply())]
    async fn certificate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code. Case, spaces and hyphens do not matter.")] code: String,
    ) -> Result<Option<Sequential<CertificateObject>>> {
        let row = command::certificate_by_code(loaders(ctx), &code).await?;
        Ok(row.map(|row| Sequential(CertificateObject(row))))
    }
}

// Markers for the mutation of a payload.
pub(super) struct Revoke;
pub(super) struct SetVisibility;

/// The payload of a certificate mutation.
#[derive(SimpleObject)]
#[graphql(concrete(name = "RevokeCertificatePayload", params(Revoke)))]
#[graphql(concrete(name = "SetCertificateVisibilityPayload", params(SetVisibility)))]
pub(super) struct CertificatePayload<M: Send + Sync> {
    /// The certificate; null if there are `userErrors`.
    certificate: Option<Sequential<CertificateObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The certificate mutations.
#[derive(Default)]
pub(super) struct CertificateMutation;

#[Object]
impl CertificateMutation {
    /// Revokes a certificate. It can still be verified, and then says that it is revoked; no other one is issued.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn revoke_certificate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The certificate and the reason.")] input: RevokeCertificateInput,
    ) -> Result<Option<Sequential<CertificatePayload<Revoke>>>> {
        answer(command::revoke_certificate(app(ctx), actor(ctx), client(ctx), input).await)
    }

    /// Lets everybody who has the code of the viewer's certificate see their name, or not.
    #[graphql(guard = "LEARNER", directive = scoped::apply(Role::Student, Scope::WriteLearning))]
    async fn set_certificate_visibility(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The certificate, and whether the name is shown.")] input: SetCertificateVisibilityInput,
    ) -> Result<Option<Sequential<CertificatePayload<SetVisibility>>>> {
        answer(command::set_certificate_visibility(app(ctx), learner(ctx), input).await)
    }
}

fn answer<M: Send + Sync>(outcome: Result<Certificate>) -> Result<Option<Sequential<CertificatePayload<M>>>> {
    let (row, user_errors) = payload(outcome)?;
    let certificate = row.map(|row| Sequential(CertificateObject(Arc::new(row))));
    Ok(Some(Sequential(CertificatePayload { certificate, user_errors, mutation: PhantomData })))
}

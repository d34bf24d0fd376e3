//! Video uploads: register, list and read.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    http::{Answer, Id, Refusal, Request, page},
    state::{Digest, Grant, State, Upload},
};

/// The names of the parameters that the upload form must repeat.
pub(crate) const UPLOAD_PARAMETERS: [&str; 8] = [
    "Content-Type",
    "key",
    "policy",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-signature",
];

#[derive(Deserialize)]
struct NewMedia {
    media_type: String,
}

/// `POST /media`
pub(crate) fn register(state: &mut State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let new: NewMedia = request.parse_json()?;
    if new.media_type != "video" {
        return Err(Refusal::invalid("media_type must be video"));
    }
    let id = state.next_id();
    let parameters = create_parameters(grant.account, id, request);
    state.host_mut(request.environment).uploads.push(Upload {
        id,
        account: grant.account,
        parameters: digest_parameters(&parameters),
        received: None,
        registered_at: request.now,
    });
    Ok(Answer::created(&json!({
        "media_id": id.to_string(),
        "media_type": "video",
        "upload_url": format!("{}/upload/", request.origin),
        "upload_parameters": parameters,
    })))
}

/// `GET /media`
pub(crate) fn list(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let uploads = state.host(request.environment).uploads.iter();
    let own = uploads
        .filter(|upload| upload.account == grant.account)
        .map(|upload| (upload.id.0, upload))
        .collect();
    page(own, &request.query, |upload| upload_document(state, upload, request.now))
}

/// `GET /media/{media_id}`
pub(crate) fn get(state: &State, grant: &Grant, request: &Request) -> Result<Answer, Refusal> {
    let upload = find_upload(state, grant, request, request.id()?)?;
    Ok(Answer::ok(&upload_document(state, upload, request.now)))
}

/// Refuses a video that is not processed yet, or whose processing failed.
pub(crate) fn require_ready(state: &State, grant: &Grant, request: &Request, id: Id) -> Result<(), Refusal> {
    match upload_status(state, find_upload(state, grant, request, id)?, request.now) {
        "succeeded" => Ok(()),
        "failed" => Err(Refusal::invalid("The media has failed processing")),
        _ => Err(Refusal::invalid("The media is not ready")),
    }
}

/// One digest of all parameters, to check that the form repeats them.
pub(crate) fn digest_parameters(parameters: &BTreeMap<String, String>) -> Digest {
    Digest::new(&json!(parameters).to_string())
}

fn find_upload<'a>(
    state: &'a State,
    grant: &Grant,
    request: &Request,
    id: Id,
) -> Result<&'a Upload, Refusal> {
    let upload = state.host(request.environment).uploads.iter().find(|upload| upload.id == id);
    upload.filter(|upload| upload.account == grant.account).ok_or(Refusal::MediaNotFound)
}

fn upload_document(state: &State, upload: &Upload, now: Timestamp) -> Value {
    json!({
        "media_id": upload.id.to_string(),
        "media_type": "video",
        "status": upload_status(state, upload, now),
    })
}

fn upload_status(state: &State, upload: &Upload, now: Timestamp) -> &'static str {
    let processing = SignedDuration::from_secs(i64::from(state.policy.processing_seconds));
    match upload.received {
        None => "registered",
        Some(received) if now.duration_since(received.at) < processing => "processing",
        Some(received) if received.is_video && !state.policy.processing_fails => "succeeded",
        Some(_) => "failed",
    }
}

fn create_parameters(account: Id, id: Id, request: &Request) -> BTreeMap<String, String> {
    let day = request.now.strftime("%Y%m%d");
    let values = [
        "multipart/form-data".to_owned(),
        format!("uploads/11/aa/22/3:video:{account}:{id}"),
        STANDARD.encode(json!({ "conditions": [{ "media": id.to_string() }] }).to_string()),
        "AWS4-HMAC-SHA256".to_owned(),
        format!("ASIASIMULATED/{day}/us-east-1/s3/aws4_request"),
        request.now.strftime("%Y%m%dT%H%M%SZ").to_string(),
        request.random.secret("simulated-session-"),
        request.random.secret("simulated-signature-"),
    ];
    UPLOAD_PARAMETERS.into_iter().map(str::to_owned).zip(values).collect()
}

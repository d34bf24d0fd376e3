//! Removes the headers from the SDK's requests that only describe the SDK: its name, version and features, and the id and
//! number of each attempt. They cost a tenth of a round trip.

use aws_runtime::{
    invocation_id::InvocationIdInterceptor, request_info::RequestInfoInterceptor,
    service_clock_skew::ServiceClockSkewInterceptor, user_agent::UserAgentInterceptor,
};
use aws_smithy_runtime_api::client::interceptors::{
    Intercept, context::BeforeSerializationInterceptorContextRef, disable_interceptor, dyn_dispatch_hint,
};
use aws_smithy_types::config_bag::ConfigBag;

use crate::transports::BoxError;

/// An interceptor for the configuration of an SDK client.
#[derive(Debug)]
pub struct ShortRequests;

#[dyn_dispatch_hint]
impl Intercept for ShortRequests {
    fn name(&self) -> &'static str {
        "ShortRequests"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reason = "AWS does not need it";
        config
            .interceptor_state()
            .store_put(disable_interceptor::<UserAgentInterceptor>(reason))
            .store_put(disable_interceptor::<RequestInfoInterceptor>(reason))
            .store_put(disable_interceptor::<InvocationIdInterceptor>(reason))
            // It measures the clock's error, which our signer does not use: Lambda's clock is right.
            .store_put(disable_interceptor::<ServiceClockSkewInterceptor>("requests are signed by `Signer`"));
        Ok(())
    }
}

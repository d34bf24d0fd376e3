//! The SDK's requests without what only tells AWS about the SDK: its name and version, the features that it has used, and
//! an id and a number of each attempt. To make these lines and carry them costs a tenth of a round trip.

use aws_runtime::{
    invocation_id::InvocationIdInterceptor, request_info::RequestInfoInterceptor,
    service_clock_skew::ServiceClockSkewInterceptor, user_agent::UserAgentInterceptor,
};
use aws_smithy_runtime_api::client::interceptors::{
    Intercept, context::BeforeSerializationInterceptorContextRef, disable_interceptor, dyn_dispatch_hint,
};
use aws_smithy_types::config_bag::ConfigBag;

use crate::transports::BoxError;

/// Goes into the configuration of a client.
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
        let told = "AWS needs it for nothing";
        config
            .interceptor_state()
            .store_put(disable_interceptor::<UserAgentInterceptor>(told))
            .store_put(disable_interceptor::<RequestInfoInterceptor>(told))
            .store_put(disable_interceptor::<InvocationIdInterceptor>(told))
            // Measures what our signer does not use: Lambda's clock is right.
            .store_put(disable_interceptor::<ServiceClockSkewInterceptor>("requests are signed elsewhere"));
        Ok(())
    }
}
